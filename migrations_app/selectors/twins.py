"""Whether a migration waits or runs already: the one rule for forms, files and re-runs."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import QuerySet
from django.db.models.functions import Lower

from migrations_app.models import TO_DO, MigrationJob

STANDARD_PORTS = (143, 993)
FIELDS = ("pk", "name", "source_address", "destination_address", "state", "requeues")

Place = tuple[str, int]
"""An IMAP server, as it is compared."""
Pair = tuple[str, str]
"""Source and destination address, as they are compared: without regard to case."""


def place_of(host: str, port: int) -> Place:
    """The server behind host and port: both standard ports lead to the same mailboxes."""
    return host.lower(), 993 if port in STANDARD_PORTS else port


def pair_of(source: str, destination: str) -> Pair:
    """The two mailboxes of a line or job."""
    return source.lower(), destination.lower()


def unfinished_jobs(
    source: Place,
    destination: Place,
    *,
    dry_run: bool,
    mailboxes: Collection[str] | None = None,
) -> QuerySet[MigrationJob]:
    """Those between two servers that wait or run, the oldest first.

    With `mailboxes` only those into these of the destination.
    """
    jobs = MigrationJob.objects.filter(TO_DO, dry_run=dry_run)
    for side, (host, port) in (("source", source), ("destination", destination)):
        ports = STANDARD_PORTS if port in STANDARD_PORTS else (port,)
        jobs = jobs.alias(**{f"{side}_place": Lower(f"{side}_host")}).filter(
            **{f"{side}_place": host, f"{side}_port__in": ports}
        )
    if mailboxes is not None:
        lowered = {mailbox.lower() for mailbox in mailboxes}
        jobs = jobs.alias(mailbox=Lower("destination_address")).filter(mailbox__in=lowered)
    return jobs.only(*FIELDS).order_by("pk")
