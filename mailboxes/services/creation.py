"""Creating a mailbox."""

from __future__ import annotations

from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import audited
from domains.copy import own_change
from domains.models import Domain, Kind
from mailboxes.models import Mailbox
from mailboxes.services.presence import (
    confirm_there,
    refuse_doomed,
    refuse_listed,
    refuse_shared,
    refuse_taken,
)
from purelymanage.purelymail.client import get_client


def create_mailbox(
    *,
    local_part: str,
    domain: Domain,
    password: str,
    send_welcome_email: bool = False,
    enable_password_reset: bool = False,
) -> Mailbox:
    """Create a mailbox at PurelyMail. The password goes there and is stored nowhere."""
    address = f"{local_part}@{domain.name}"
    refuse_shared(domain)
    refuse_doomed(domain)
    refuse_listed(address)
    options = {
        "send_welcome_email": send_welcome_email,
        "enable_password_reset": enable_password_reset,
    }
    with audited(Action.MAILBOX_CREATED, target=address, after=options):
        refuse_taken(address, consequence=_("The mailbox was not created."))
        with own_change(Kind.MAILBOXES):
            get_client().create_user(
                local_part=local_part,
                domain=domain.name,
                password=password,
                send_welcome_email=send_welcome_email,
                enable_password_reset=enable_password_reset,
            )
            confirm_there(address, claim=_("PurelyMail said that it created the mailbox"))
            mailbox, _created = Mailbox.objects.get_or_create(
                address=address, defaults={"domain": domain}
            )
    return mailbox
