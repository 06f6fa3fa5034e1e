"""Domains, routing rules and deletions."""

from __future__ import annotations

from django.utils import timezone

from audit.actions import Action
from domains.models import Domain, RecordKey, RecordState
from domains.tests.factories import DnsRecordFactory
from purelymanage.tests.audited.tables import Exempt, Leaves, Line, Post
from purelymanage.tests.audited.world import DOMAIN, LEA, Answer, World

RULE = {"kind": "exact", "match": "office", "domain": DOMAIN, "targets": LEA}
KEY = RecordKey.MX


def _failing(world: World) -> None:
    facts = {"checked_at": timezone.now(), "failing_count": 1, "passes_mx": False}
    Domain.objects.filter(pk=world.domain.pk).update(**facts)


def _differing_record(world: World) -> None:
    found = ["10 mail.else.example"]
    DnsRecordFactory(domain=world.domain, key=KEY, state=RecordState.WRONG, found=found)


def _accepted_record(world: World) -> None:
    _differing_record(world)
    world.post("domains:deviation", world.domain.pk, KEY, reason="Moved later.")


def _added_domain(world: World, post: Post) -> Answer:
    world.publish("new.example")
    return post(name="new.example")


DOMAINS: list[Line] = [
    # Domains
    Leaves("domains:add", Action.DOMAIN_ADDED, _added_domain),
    Leaves("domains:ownership_read", Action.COPY_REFRESHED, lambda _world, post: post()),
    Leaves(
        "domains:copy_refresh",
        Action.COPY_REFRESHED,
        lambda _world, post: post("mailboxes"),
    ),
    Leaves(
        "domains:recheck",
        Action.DOMAIN_RECHECKED,
        lambda world, post: post(world.domain.pk),
    ),
    Leaves(
        "domains:recheck_failing",
        Action.DOMAIN_RECHECKED,
        lambda world, post: (_failing(world), post())[1],
    ),
    Leaves(
        "domains:settings",
        Action.DOMAIN_CHANGED,
        lambda world, post: post(world.domain.pk, setting="symbolic_subaddressing", is_on=""),
    ),
    Leaves(
        "domains:deviation",
        Action.DEVIATION_ACCEPTED,
        lambda world, post: (
            _differing_record(world),
            post(world.domain.pk, KEY, reason="Moved later."),
        )[1],
    ),
    Leaves(
        "domains:deviation_withdraw",
        Action.DEVIATION_WITHDRAWN,
        lambda world, post: (_accepted_record(world), post(world.domain.pk, KEY))[1],
    ),
    Leaves(
        "domains:delete",
        Action.DELETION_SCHEDULED,
        lambda world, post: post(world.domain.pk, typed=DOMAIN),
    ),
    # Routing
    Leaves("routing:add", Action.RULE_CREATED, lambda _world, post: post(**RULE)),
    Leaves(
        "routing:edit",
        Action.RULE_CHANGED,
        lambda world, post: post(world.rule.pk, **RULE),
    ),
    Exempt(
        "routing:preview",
        "It says what a rule being typed would do, from the copy alone.",
        lambda _world, post: post(**RULE),
    ),
    Leaves(
        "routing:delete",
        Action.DELETION_SCHEDULED,
        lambda world, post: post(world.rule.pk),
    ),
    # Deletions
    Leaves(
        "deletions:cancel",
        Action.DELETION_CANCELLED,
        lambda world, post: post(world.deletion.pk),
    ),
    Leaves(
        "deletions:cancel_selected",
        Action.DELETION_CANCELLED,
        lambda world, post: post(selected=[world.deletion.pk]),
    ),
    Leaves(
        "deletions:freeze",
        Action.PERSON_FROZEN,
        lambda world, post: (world.deletion, post(world.people["admin"].pk))[1],
        by="owner",
    ),
    Leaves(
        "deletions:freeze_undo",
        Action.PERSON_UNFROZEN,
        lambda world, post: post(world.freeze.pk),
        by="owner",
    ),
]
