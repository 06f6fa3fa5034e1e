"""The doors workers come in by."""

from __future__ import annotations

from accounts.mail import send_reset_link
from accounts.models import User
from accounts.session_store import SessionStore


def send_password_reset(person_id: int) -> None:
    """Mail a reset link to a person who can sign in; nobody else gets one."""
    person = User.objects.filter(pk=person_id, is_active=True).first()
    if person is not None:
        send_reset_link(person)


def forget_old_sessions() -> None:
    """Remove the rows of sessions that have expired."""
    SessionStore.clear_expired()
