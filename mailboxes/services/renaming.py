"""Renaming a mailbox."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import audited
from domains.copy import own_change
from domains.models import Domain, Kind
from mailboxes import moves
from mailboxes.models import Mailbox
from mailboxes.services.presence import (
    confirm_there,
    known_there,
    refuse_doomed,
    refuse_listed,
    refuse_shared,
    refuse_taken,
)
from purelymanage.core.addresses import shown_address
from purelymanage.core.errors import RefusedError
from purelymanage.deletions.models import DeletionKind
from purelymanage.deletions.selectors import pending_deletion
from purelymanage.purelymail.client import get_client


def rename_mailbox(*, mailbox: Mailbox, local_part: str, domain: Domain) -> None:
    """Give a mailbox another address; its row stays the same one."""
    old, new = mailbox.address, f"{local_part}@{domain.name}"
    _refuse_unusable(mailbox, new, domain)
    with audited(
        Action.MAILBOX_RENAMED, target=old, before={"address": old}, after={"address": new}
    ):
        refuse_taken(new, consequence=_("The mailbox was not renamed."))
        with own_change(Kind.MAILBOXES):
            with known_there(old):
                get_client().modify_user(address=old, new_address=new)
            confirm_there(new, claim=_("PurelyMail said that it renamed the mailbox"))
            _move_row(mailbox, new, domain)


def _refuse_unusable(mailbox: Mailbox, new: str, domain: Domain) -> None:
    refuse_shared(domain)
    refuse_doomed(domain)
    if new == mailbox.address:
        raise RefusedError(
            _("%(address)s is its address already. Nothing was changed.")
            % {"address": shown_address(new)},
            field="local_part",
        )
    if pending_deletion(DeletionKind.MAILBOX, mailbox.address):
        raise RefusedError(
            _(
                "The deletion of %(address)s is pending. "
                "Cancel it before you rename the mailbox; nothing was changed."
            )
            % {"address": shown_address(mailbox.address)}
        )
    refuse_listed(new)


def _move_row(mailbox: Mailbox, new: str, domain: Domain) -> None:
    """A refresh may have found the new address in the meantime; there is one row for it."""
    with transaction.atomic():
        Mailbox.objects.filter(address=new).exclude(pk=mailbox.pk).delete()
        moves.book.renamed(mailbox.address, new)
        mailbox.address = new
        mailbox.domain = domain
        mailbox.save()
