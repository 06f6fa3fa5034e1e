"""How somebody is invited to the panel, and how they come in.

The token exists in the link alone. So a worker makes it when it sends the mail, and nothing but its
digest is stored: each sending makes the links before it void.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.mail import invitation_mail
from accounts.models import Invitation, User
from accounts.services.people import PEOPLE
from audit.actions import Action
from audit.services import audited, record
from purelymanage.core.context import Actor, acting_as, current_actor
from purelymanage.core.errors import MissingError, RefusedError
from purelymanage.core.locks import lock_transaction
from purelymanage.core.mail import is_mail_set_up
from purelymanage.core.roles import Role
from purelymanage.jobs.locks import only_one
from purelymanage.jobs.queue import enqueue
from purelymanage.notifications.mail import send

TOKEN_BYTES = 32
SEND = "accounts.tasks.send_invitations"
LOCK, LOCK_SECONDS = "accounts.invitations", 600


def invite(*, inviter: User, email: str, name: str, role: Role) -> str:
    """Invite somebody by mail. Without a mail server it answers with the link to hand over."""
    facts = {"name": name, "role": role}
    with audited(Action.PERSON_INVITED, target=email, after=facts), transaction.atomic():
        lock_transaction(PEOPLE)
        _refuse_known(email)
        invitation = Invitation(email=email, name=name, role=role)
        return _hand_out(invitation, inviter)


def send_again(*, invitation: Invitation, inviter: User) -> str:
    """A new link that is valid as long as the first one was; the old one is void at once.

    `inviter` answers for it from now on. Answers like `invite`.
    """
    facts = {"name": invitation.name, "role": invitation.role, "sent_again": True}
    with (
        audited(Action.PERSON_INVITED, target=invitation.email, after=facts),
        transaction.atomic(),
    ):
        lock_transaction(PEOPLE)
        return _hand_out(_still_open(invitation), inviter)


def revoke(*, invitation: Invitation) -> None:
    """Let nobody in by it any more."""
    with audited(Action.INVITATION_REVOKED, target=invitation.email), transaction.atomic():
        lock_transaction(PEOPLE)
        open_one = _still_open(invitation)
        open_one.revoked_at = timezone.now()
        open_one.save(update_fields=["revoked_at"])


def sent_by(person_id: int) -> list[str]:
    """The invitations of one person that nobody accepted or revoked yet, in words."""
    sent = Invitation.objects.open().filter(invited_by=person_id).values_list("email", flat=True)
    return [_("Invitation of %(email)s") % {"email": email} for email in sent]


def revoke_all(person_id: int) -> int:
    """Let nobody in by what one person sent; how many that were. A part of what goes on record."""
    lock_transaction(PEOPLE)  # somebody may be accepting one
    sent = Invitation.objects.open().filter(invited_by=person_id)
    return sent.update(revoked_at=timezone.now())


def accept(*, invitation: Invitation, name: str, password: str) -> User:
    """Make the account. Of two who follow one link at once, one gets it.

    Raises MissingError where the link lets nobody in any more.
    """
    newcomer = Actor(kind="person", name=name, address=current_actor().address)
    facts = {"name": name, "role": invitation.role}
    with (
        acting_as(newcomer),
        audited(Action.PERSON_JOINED, target=invitation.email, after=facts),
        transaction.atomic(),
    ):
        lock_transaction(PEOPLE)
        valid = Invitation.objects.valid().filter(
            pk=invitation.pk, token_digest=invitation.token_digest
        )
        if not valid.exists():
            raise MissingError(_("This invitation is no longer open. Ask for a new one."))
        _refuse_second_account(invitation.email)
        person = User.objects.create_user(
            email=invitation.email, name=name, password=password, role=Role(invitation.role)
        )
        valid.update(accepted_at=timezone.now(), accepted_by=person)
    return person


def send_waiting() -> int:
    """Mail the invitations that nobody has mailed yet; how many the mail server took.

    What it refuses is tried again for as long as the invitation is valid.
    """
    if not is_mail_set_up():
        return 0
    with only_one(LOCK, seconds=LOCK_SECONDS) as alone:
        waiting = Invitation.objects.valid().filter(sent_at=None).select_related("invited_by")
        return sum(_send(invitation) for invitation in waiting) if alone else 0


def _send(invitation: Invitation) -> bool:
    """With a token of its own. An owner may meanwhile have asked for another: then it waits on."""
    token = _new_token(invitation)
    invitation.save(update_fields=["token_digest"])
    if not send(invitation_mail(invitation, _link(token))):
        return False
    unchanged = Invitation.objects.filter(pk=invitation.pk, token_digest=invitation.token_digest)
    unchanged.update(sent_at=timezone.now())
    record(Action.INVITATION_SENT, target=invitation.email)
    return True


def _hand_out(invitation: Invitation, inviter: User) -> str:
    """Store it with a token of which only a link on a page may know, and have it mailed."""
    token = _new_token(invitation)
    invitation.invited_by = inviter
    invitation.expires_at = timezone.now() + timedelta(days=settings.INVITATION_DAYS)
    invitation.sent_at = None if is_mail_set_up() else timezone.now()
    invitation.save()
    if invitation.sent_at:
        return _link(token)
    enqueue(SEND)
    return ""


def _new_token(invitation: Invitation) -> str:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    invitation.token_digest = Invitation.digest_of(token)
    return token


def _link(token: str) -> str:
    return f"{settings.BASE_URL}{reverse('accounts:invitation', args=[token])}"


def _still_open(invitation: Invitation) -> Invitation:
    """As it stands now."""
    found = Invitation.objects.open().filter(pk=invitation.pk).first()
    if found is None:
        raise RefusedError(
            _("The invitation of %(email)s was accepted or revoked already. Nothing was changed.")
            % {"email": invitation.email}
        )
    return found


def _refuse_known(email: str) -> None:
    person = User.objects.filter(email=email).first()
    if person and person.is_active:
        words = _("%(name)s is in the panel already. Change the role in the list of people.")
        raise RefusedError(words % {"name": person.name}, field="email")
    if person:
        words = _("%(name)s was removed from the panel. Open their page and let them in again.")
        raise RefusedError(words % {"name": person.name}, field="email")
    if Invitation.objects.open().filter(email=email).exists():
        words = _(
            "%(email)s is invited already. Below the list of people you can send the invitation "
            "again, or revoke it."
        )
        raise RefusedError(words % {"email": email}, field="email")


def _refuse_second_account(email: str) -> None:
    if User.objects.filter(email=email).exists():
        raise RefusedError(
            _("There is an account for %(email)s already. Sign in instead.") % {"email": email}
        )
