"""What stands on the home page in its tests, and how they read it."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from domains.models import CHECKS
from domains.tests.factories import DomainFactory
from migrations_app.models import MigrationJob
from purelymanage.dashboard import selectors
from purelymanage.dashboard.attention import needs_attention
from purelymanage.deletions.models import DeletionKind, PendingDeletion

HOME = "/"


def page(response):
    return response.content.decode()


def job(name="lea", **facts):
    return MigrationJob.objects.create(
        **{
            "name": name,
            "source_host": "old.example",
            "source_port": 993,
            "source_security": "tls",
            "source_address": f"{name}@old.example",
            "source_password": "secret-of-the-source",
            "destination_host": "imap.example",
            "destination_port": 993,
            "destination_security": "tls",
            "destination_address": f"{name}@lindenhof.example",
            "destination_password": "secret-of-the-destination",
            "ended_at": timezone.now(),
        }
        | facts
    )


def domain(name="shop.example", *, fails=(), **facts):
    """A domain that was checked, and fails these checks."""
    flags = {f"passes_{check}": check not in fails for check in CHECKS}
    return DomainFactory(
        name=name,
        **{"failing_count": len(fails), "checked_at": timezone.now(), **flags, **facts},
    )


def pending(label, *, hours=24, **facts):
    return PendingDeletion.objects.create(
        kind=DeletionKind.MAILBOX,
        key=label,
        label=label,
        requested_by_name="Adam",
        due_at=timezone.now() + timedelta(hours=hours),
        **facts,
    )


def items():
    return needs_attention(selectors.home())


def titles():
    return [item.title for item in items()]
