"""The dossier of a deleted mailbox: in words, and where the mailbox is made again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from mailboxes.models import Mailbox
from purelymanage.core.addresses import shown_address
from purelymanage.deletions.models import PendingDeletion
from purelymanage.deletions.registry import Facts
from purelymanage.deletions.telling import Section, yes_or_no
from purelymanage.purelymail.types import RecoveryMethod


def urls(keys: Collection[str]) -> dict[str, str]:
    """The pages of those that are there."""
    found = Mailbox.objects.filter(address__in=keys).values_list("address", "pk")
    return {address: reverse("mailboxes:detail", args=[pk]) for address, pk in found}


def recreate_url(deletion: PendingDeletion) -> str:
    """The form for a new mailbox; where it is there again, the question to give it its settings."""
    again = Mailbox.objects.filter(address=deletion.key).values_list("pk", flat=True).first()
    url = reverse("mailboxes:restore", args=[again]) if again else reverse("mailboxes:add")
    return f"{url}?deletion={deletion.pk}"


def recovery_methods(facts: Facts) -> list[RecoveryMethod]:
    """As PurelyMail had them; none where it did not tell."""
    return [RecoveryMethod(**method) for method in settings_of(facts).get("recovery_methods", [])]


def settings_of(facts: Facts) -> dict[str, Any]:
    """What PurelyMail told of the mailbox; empty where it did not."""
    settings: dict[str, Any] = facts.get("settings") or {}
    return settings


def tell(facts: Facts) -> list[Section]:
    """In human words."""
    return [
        *settings_told(facts),
        Section(
            _("Rules that act on its mail"),
            items=_rules(facts.get("rules_acting_on_it", [])),
            icon="split",
            none=_("None."),
        ),
        Section(
            _("Rules that deliver to it"),
            items=_rules(facts.get("rules_delivering_to_it", [])),
            icon="split",
            none=_("None."),
        ),
        Section(
            _("Migrations into it that had not ended"),
            items=[shown_address(name) for name in facts.get("unfinished_migrations", [])],
            icon="arrow-right-left",
            none=_("None."),
        ),
    ]


def settings_told(facts: Facts) -> list[Section]:
    """The part that a mailbox can be given back."""
    settings = settings_of(facts)
    if not settings:
        why = facts.get("missing") or _("PurelyMail has not told them.")
        return [Section(_("Settings and recovery methods"), none=why)]
    return [
        Section(
            _("Settings"),
            pairs=[
                (_("Second factor required"), yes_or_no(settings.get("require_two_factor"))),
                (_("Password can be reset"), yes_or_no(settings.get("enable_password_reset"))),
                (_("Indexed for search"), yes_or_no(settings.get("enable_search_indexing"))),
                (_("Spam filtered"), yes_or_no(settings.get("enable_spam_filtering"))),
            ],
        ),
        Section(
            _("Recovery methods"),
            items=[_method(method) for method in recovery_methods(facts)],
            icon="key",
            none=_("None."),
            is_private=True,
        ),
    ]


def _method(method: RecoveryMethod) -> str:
    words = [shown_address(method.target), method.description]
    if method.allow_mfa_reset:
        words.append(_("may also switch off the second factor"))
    return ", ".join(filter(None, words))


def _rules(rules: Iterable[Mapping[str, Any]]) -> list[str]:
    return [
        f"{shown_address(rule['source'])} → {', '.join(map(shown_address, rule['targets']))}"
        for rule in rules
    ]
