"""Where people are signed in, and how that ends: on the server, at once."""

from __future__ import annotations

from accounts.models import Session, User
from audit.actions import Action
from audit.services import audited


def end_sessions(*, person: User, keep: str | None = None) -> int:
    """End a person's sessions, except the one whose cookie holds `keep`; how many were alive.

    A part of what ends them, which is what goes on record.
    """
    ending = Session.objects.filter(user=person).without(keep)
    alive = ending.alive().count()
    ending.delete()
    return alive


def end_session(*, session: Session) -> None:
    """End one session of a person."""
    assert session.user  # noqa: S101  for mypy: nobody's session is in no list
    with audited(Action.SESSION_ENDED, target=session.user.email, before=_facts(session)):
        session.delete()


def end_all_sessions(*, person: User, keep: str | None = None) -> int:
    """End them because somebody wants just that; how many were alive."""
    with audited(Action.SESSIONS_ENDED, target=person.email) as change:
        ended = change.after["sessions"] = end_sessions(person=person, keep=keep)
    return ended


def _facts(session: Session) -> dict[str, str]:
    return {"device": session.device, "session_address": session.address or ""}
