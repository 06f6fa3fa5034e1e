"""What mailboxes tell the deletion queue and the pages of domains."""

from __future__ import annotations

from dataclasses import asdict

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from domains.copy import own_change
from domains.dependants import register_dependants
from domains.models import Domain, Kind
from mailboxes import dossiers, moves, rules
from mailboxes.models import Mailbox
from purelymanage.core.addresses import shown_address
from purelymanage.core.errors import MissingError
from purelymanage.deletions.impact import Group, Impact
from purelymanage.deletions.models import DeletionKind
from purelymanage.deletions.registry import Deletable, Facts, register_deletable
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import UserMissingError


def register() -> None:
    """Let mailboxes be deleted, and be named before their domain is."""
    register_deletable(
        Deletable(
            kind=DeletionKind.MAILBOX,
            label=label_of,
            facts=facts_of,
            facts_there=facts_there,
            identity=identity_of,
            is_there=is_there,
            delete=delete,
            forget=forget,
            urls=dossiers.urls,
            tell=dossiers.tell,
            recreate_url=dossiers.recreate_url,
        )
    )
    register_dependants(gettext_lazy("Mailboxes"), addresses_on)


def label_of(address: str) -> str:
    """What people call it."""
    if not Mailbox.objects.filter(address=address).exists():
        raise MissingError(
            _("%(address)s is no mailbox any more. Refresh the list of mailboxes.")
            % {"address": shown_address(address)}
        )
    return shown_address(address)


def facts_of(address: str) -> Facts:
    """The rules around it: all that the copy knows."""
    around = rules.book.around(address)
    return {
        "rules_acting_on_it": [asdict(rule) for rule in around.taking],
        "rules_delivering_to_it": [asdict(rule) for rule in around.delivering],
        "unfinished_migrations": moves.book.unfinished(address),
    }


def facts_there(address: str) -> Facts:
    """Settings and recovery methods, which only PurelyMail knows."""
    return {"settings": asdict(get_client().get_user(address=address))}


def identity_of(address: str) -> str:
    """Its row in the copy, which one that was made anew does not keep."""
    pk = Mailbox.objects.filter(address=address).values_list("pk", flat=True).first()
    return str(pk or "")


def is_there(address: str, _facts: Facts) -> bool:
    """Whether PurelyMail has it."""
    try:
        get_client().get_user(address=address)
    except UserMissingError:
        return False
    return True


def delete(address: str) -> None:
    """Have PurelyMail delete it with its mail."""
    with own_change(Kind.MAILBOXES):
        get_client().delete_user(address=address)


def forget(address: str) -> None:
    """It is gone: take it out of the copy."""
    with own_change(Kind.MAILBOXES):
        Mailbox.objects.filter(address=address).delete()


def impact_of(mailbox: Mailbox) -> Impact:
    """What hangs on it, for the question before its deletion."""
    around = rules.book.around(mailbox.address)
    return Impact(
        [
            Group.of(
                _("Rules that deliver here; they stay, and what they send here bounces"),
                [shown_address(rule.source) for rule in around.delivering],
                icon="split",
            ),
            Group.of(
                _("Rules that act on its mail; they stay"),
                [shown_address(rule.source) for rule in around.taking],
                icon="split",
            ),
            Group.of(
                _("Migrations into it that have not ended"),
                moves.book.unfinished(mailbox.address),
                icon="arrow-right-left",
            ),
        ]
    )


def addresses_on(domain: Domain) -> list[str]:
    """The mailboxes of a domain."""
    return list(domain.mailboxes.order_by("address").values_list("address", flat=True))
