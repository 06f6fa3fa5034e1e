"""What the pages about people need to know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Invitation, Session, User


def invitation_by(token: str) -> Invitation | None:
    """The invitation that this token lets in by; none where it is unknown, used, revoked or void.

    One query finds out, so that the time it takes tells nothing.
    """
    valid = Invitation.objects.valid().select_related("invited_by")
    return valid.filter(token_digest=Invitation.digest_of(token)).first()


def invitation_of(person: User) -> Invitation | None:
    """The one that they came in by."""
    return Invitation.objects.select_related("invited_by").filter(accepted_by=person).first()


def sessions_of(person: User) -> int:
    """In how many places a person is signed in."""
    return Session.objects.alive().filter(user=person).count()


@dataclass(frozen=True)
class InvitationRow:
    """An open invitation as owners see it."""

    invitation: Invitation
    tone: str
    icon: str
    word: str


def open_invitations() -> list[InvitationRow]:
    """Those that were neither accepted nor revoked, newest first."""
    return _rows(Invitation.objects.open().select_related("invited_by"))


def _rows(invitations: Iterable[Invitation]) -> list[InvitationRow]:
    return [InvitationRow(invitation, *_state(invitation)) for invitation in invitations]


def _state(invitation: Invitation) -> tuple[str, str, str]:
    inviter = invitation.invited_by
    if inviter is None or not inviter.is_owner:
        return "warn", "ban", _("Void: whoever sent it is no owner any more")
    if invitation.expires_at <= timezone.now():
        return "warn", "clock", _("Expired")
    if invitation.sent_at is None:
        return "info", "loader", _("About to be sent")
    return "ok", "mail", _("Open")
