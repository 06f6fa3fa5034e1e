"""The dossier of a deleted domain: in words, and where the domain is added again."""

from __future__ import annotations

from collections.abc import Collection

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from domains.models import Domain
from purelymanage.core.addresses import shown_address, shown_domain
from purelymanage.deletions.models import PendingDeletion
from purelymanage.deletions.registry import Facts
from purelymanage.deletions.telling import Section, yes_or_no


def urls(keys: Collection[str]) -> dict[str, str]:
    """The pages of those that are there."""
    found = Domain.objects.filter(name__in=keys).values_list("name", "pk")
    return {name: reverse("domains:detail", args=[pk]) for name, pk in found}


def recreate_url(deletion: PendingDeletion) -> str:
    """The form that adds it; where it is there again, nothing is left to do."""
    if Domain.objects.filter(name=deletion.key).exists():
        return ""
    return f"{reverse('domains:add')}?{urlencode({'name': shown_domain(deletion.key)})}"


def tell(facts: Facts) -> list[Section]:
    """In human words."""
    settings, verdicts = facts.get("settings", {}), facts.get("verdicts", {})
    hanging = [
        Section(
            f"{heading} ({len(names):,})",
            items=[shown_address(name) for name in names],
            none=_("None."),
        )
        for heading, names in {**facts.get("dependants", {}), **facts.get("affected", {})}.items()
    ]
    passed = {True: _("passed"), False: _("failed")}
    return [
        *hanging,
        Section(
            _("Settings"),
            pairs=[
                (_("Symbolic subaddressing"), yes_or_no(settings.get("symbolic_subaddressing"))),
                (_("Account reset by this domain"), yes_or_no(settings.get("allow_account_reset"))),
            ],
        ),
        Section(
            _("DNS checks of PurelyMail"),
            pairs=[(name, passed.get(value, _("not known"))) for name, value in verdicts.items()],
            none=_("None."),
        ),
    ]
