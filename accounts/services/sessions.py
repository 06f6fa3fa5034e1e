"""Where people are signed in, and how that ends: on the server, at once."""

from __future__ import annotations

from accounts.models import Session, User


def sessions_of(person: User) -> int:
    """In how many places a person is signed in."""
    return Session.objects.alive().filter(user=person).count()


def end_sessions(*, person: User, keep: str | None = None) -> int:
    """End a person's sessions, except the one whose cookie holds `keep`; how many were alive."""
    ending = Session.objects.filter(user=person).exclude(session_key=Session.stored_key(keep or ""))
    alive = ending.alive().count()
    ending.delete()
    return alive
