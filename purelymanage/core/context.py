"""Who is acting, kept beside the call stack so that nobody has to pass it around.

The web sets it per request (`ContextMiddleware`), workers per task (`acting_as_system`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

ActorKind = Literal["person", "system", "campaign"]


@dataclass(frozen=True)
class Actor:
    """The acting party: a person, our own background work, or a campaign's visitor."""

    kind: ActorKind = "system"
    name: str = "system"
    user_id: int | None = None
    address: str = ""
    """The client's address, empty for background work."""
    may_act: Callable[[], bool] = field(default=lambda: True, compare=False, repr=False)
    """Asks the database whether they still may act: their session, or the batch that works in
    their name, may have been ended since this began."""


SYSTEM = Actor()
_actor: ContextVar[Actor] = ContextVar("actor", default=SYSTEM)


def current_actor() -> Actor:
    """The party on whose behalf this code runs."""
    return _actor.get()


@contextmanager
def acting_as(actor: Actor) -> Iterator[None]:
    """Run a block on behalf of someone."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def person(
    user: AbstractBaseUser, *, address: str = "", may_act: Callable[[], bool] = lambda: True
) -> Actor:
    """The actor for a signed-in user."""
    return Actor(kind="person", name=str(user), user_id=user.pk, address=address, may_act=may_act)
