"""Where people are signed in, and how that ends."""

from __future__ import annotations

from accounts.models import Session
from audit.actions import Action
from purelymanage.tests.audited.tables import Leaves, Line, Post
from purelymanage.tests.audited.world import Answer, World


def _end_another(world: World, post: Post) -> Answer:
    other = world.client("admin").session.session_key
    return post(Session.objects.get(session_key=Session.stored_key(other)).pk)


def _end_the_others(world: World, post: Post) -> Answer:
    world.client("admin")
    return post()


SESSIONS: list[Line] = [
    Leaves("accounts:session_end", Action.SESSION_ENDED, _end_another),
    Leaves("accounts:sessions_end", Action.SESSIONS_ENDED, _end_the_others),
    Leaves(
        "accounts:person_sessions_end",
        Action.SESSIONS_ENDED,
        lambda world, post: post(world.people["admin"].pk),
        by="owner",
    ),
]
