"""Inviting somebody, and coming in by the link."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.models import Invitation
from accounts.services.invitations import revoke
from audit.actions import Action
from audit.models import Outcome
from purelymanage.tests.audited.tables import Exempt, Leaves, Line, Post
from purelymanage.tests.audited.world import NEW_PASSWORD, SECRET, Answer, World

TOKEN = f"token-{SECRET}"
UNKNOWN = f"unknown-{SECRET}"


def invited(world: World) -> Invitation:
    """Somebody the owner has invited, whose link holds TOKEN."""
    invitation, _made = Invitation.objects.get_or_create(
        email="nora@panel.example",
        name="Nora",
        role="viewer",
        invited_by=world.people["owner"],
        defaults={
            "token_digest": Invitation.digest_of(TOKEN),
            "expires_at": timezone.now() + timedelta(days=1),
        },
    )
    return invitation


def _revoked(world: World) -> Invitation:
    invitation = invited(world)
    revoke(invitation=invitation)
    return invitation


def _accept(world: World, post: Post) -> Answer:
    invited(world)
    return post(TOKEN, name="Nora", password=NEW_PASSWORD)


INVITATIONS: list[Line] = [
    Leaves(
        "accounts:person_invite",
        Action.PERSON_INVITED,
        lambda _world, post: post(name="Nils", email="nils@panel.example", role="admin"),
        by="owner",
    ),
    Leaves(
        "accounts:invitation_send",
        Action.PERSON_INVITED,
        lambda world, post: post(invited(world).pk),
        by="owner",
    ),
    Leaves(
        "accounts:invitation_send",
        Action.PERSON_INVITED,
        lambda world, post: post(_revoked(world).pk),
        by="owner",
        result=Outcome.Result.REFUSED,
        status={409},
    ),
    Leaves(
        "accounts:invitation_revoke",
        Action.INVITATION_REVOKED,
        lambda world, post: post(invited(world).pk),
        by="owner",
    ),
    Leaves(
        "accounts:invitation",
        Action.PERSON_JOINED,
        _accept,
        by="stranger",
        actor="newcomer",
    ),
    Exempt(
        "accounts:invitation",
        "Whoever tries links that let nobody in changes nothing, and is told nothing.",
        lambda _world, post: post(UNKNOWN, name="Nora", password=NEW_PASSWORD),
        by="stranger",
        status={410},
    ),
]
