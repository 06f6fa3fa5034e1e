"""What mailbox pages show of migrations into a mailbox."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db.models import Max, QuerySet
from django.db.models.functions import Lower
from django.urls import reverse

from domains.models import Domain
from mailboxes.moves import Move
from migrations_app.models import FINISHED, MigrationJob, State

SHOWN = 5
FIELDS = ("name", "state", "dry_run", "ended_at", "messages_done", "messages_total")


def last_moves(addresses: Collection[str]) -> Mapping[str, Move]:
    """The newest job into each of these addresses that has one. One query."""
    per_mailbox = _into(addresses).values(place=Lower("destination_address"))
    newest = per_mailbox.annotate(newest=Max("pk")).values("newest")
    jobs = MigrationJob.objects.filter(pk__in=newest).only("destination_address", *FIELDS)
    return {job.destination_address.lower(): _move(job) for job in jobs}


def latest_moves(address: str) -> list[Move]:
    """The newest few jobs into one address."""
    jobs = _into([address]).order_by("-pk").only(*FIELDS)
    return [_move(job) for job in jobs[:SHOWN]]


def unfinished_moves(address: str) -> list[str]:
    """The jobs that still write to an address, or are going to."""
    jobs = _into([address]).exclude(state__in=FINISHED)
    return list(jobs.order_by("-pk").values_list("name", flat=True))


def unfinished_into_domain(domain: Domain) -> list[str]:
    """The jobs that still write to a mailbox of this domain, or are going to."""
    jobs = MigrationJob.objects.exclude(state__in=FINISHED)
    names = jobs.filter(destination_address__iendswith=f"@{domain.name}").order_by("name", "pk")
    return list(names.values_list("name", flat=True))


def _into(addresses: Collection[str]) -> QuerySet[MigrationJob]:
    """The jobs into these mailboxes, however their address was typed; an index has `mailbox`."""
    jobs = MigrationJob.objects.alias(mailbox=Lower("destination_address"))
    return jobs.filter(mailbox__in=list(addresses)).order_by()


def _move(job: MigrationJob) -> Move:
    percent = None
    if job.state == State.RUNNING and job.messages_total:
        percent = 100 * min(job.messages_done, job.messages_total) // job.messages_total
    return Move(
        name=job.name,
        url=reverse("migrations:detail", args=[job.pk]),
        state=job.state,
        percent=percent,
        moved_at=job.ended_at if job.state == State.DONE else None,
        is_dry_run=job.dry_run,
    )
