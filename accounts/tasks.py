"""The doors workers come in by."""

from __future__ import annotations

from datetime import datetime

from accounts.factors.mail import send_news
from accounts.mail import send_factors_reset_notice, send_reset_link
from accounts.models import User
from accounts.services.invitations import send_waiting
from accounts.sessions.store import SessionStore


def send_password_reset(person_id: int) -> None:
    """Mail a reset link to a person who can sign in; nobody else gets one."""
    person = User.objects.filter(pk=person_id, is_active=True).first()
    if person is not None:
        send_reset_link(person)


def send_factors_reset(person_id: int) -> None:
    """Tell a person that their second factors were taken away."""
    person = User.objects.filter(pk=person_id, is_active=True).first()
    if person is not None:
        send_factors_reset_notice(person)


def send_factor_news(person_id: int, action: str, what: str, moment: str, address: str) -> None:
    """Tell a person what happened to their second factors, in case it was not them."""
    person = User.objects.filter(pk=person_id, is_active=True).first()
    if person is not None:
        send_news(person, action, what=what, moment=datetime.fromisoformat(moment), address=address)


def forget_old_sessions() -> None:
    """Remove the rows of sessions that have expired."""
    SessionStore.clear_expired()


def send_invitations() -> None:
    """Mail the invitations that wait for it."""
    send_waiting()
