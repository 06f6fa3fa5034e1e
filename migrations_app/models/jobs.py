"""Migration jobs: one mailbox each, from the queue to its verdict."""

from __future__ import annotations

import re

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce, Concat, Lower, Now
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from migrations_app.engines.wording import host_and_port
from migrations_app.models.batches import Batch
from migrations_app.models.servers import Security, Server
from purelymanage.core.addresses import refuse_control_characters
from purelymanage.crypto import EncryptedField, EncryptedModel


class State(models.TextChoices):
    """The states of a migration job."""

    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    DONE_WITH_ERRORS = "done_with_errors", _("Done with errors")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    INTERRUPTED = "interrupted", _("Interrupted")


ENDED_WELL = (State.DONE, State.DONE_WITH_ERRORS)
FINISHED = (*ENDED_WELL, State.FAILED, State.CANCELLED)
MAX_REQUEUES = 3
WAITING = models.Q(state=State.QUEUED) | models.Q(
    state=State.INTERRUPTED, requeues__lte=MAX_REQUEUES
)
"""Queued, or interrupted with a try left."""
TO_DO = WAITING | models.Q(state=State.RUNNING)
"""Not at its end."""
HELD_BACK = WAITING & (models.Q(start_at__gt=Now()) | models.Q(try_after__gt=Now()))
"""Waits for a moment: its start, or its next try."""

RUNS_FIRST = models.Case(
    models.When(state=State.RUNNING, then=models.Value(0)),
    default=models.Value(1),
    output_field=models.IntegerField(),
)
LATEST = Coalesce("ended_at", "queued_at")
"""When something happened to it last: it ended, or was queued."""
LATEST_FIRST = LATEST.desc()
"""The order of the list: what runs, then what happened last. An index has it."""


class Phase(models.TextChoices):
    """What a running engine is doing."""

    CONNECT = "connect", _("Connect")
    COMPARE = "compare", _("Compare")
    COPY = "copy", _("Copy")
    VERIFY = "verify", _("Verify")


class MigrationJob(EncryptedModel):
    """One mailbox's migration: what to copy, its state, its lease while running, its progress.

    The row is the truth; a queue message only says that there may be something to claim.
    Claiming, beating, requeueing and ending are in `queueing.queue` and nowhere else.
    """

    name = models.CharField(max_length=120, validators=[refuse_control_characters])
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="who queued it last; they are told of its end",
    )
    batch = models.ForeignKey(Batch, models.SET_NULL, null=True, blank=True, related_name="jobs")
    superseded_by = models.OneToOneField(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="goes_on_from",
        help_text="the job that goes on from here: the real run of a dry run",
    )

    # Both ends. Name, host, port and security are copies, so that jobs outlive their servers.
    source_server = models.ForeignKey(
        Server, models.SET_NULL, null=True, blank=True, related_name="outgoing_jobs"
    )
    source_name = models.CharField(max_length=120, blank=True)
    source_host = models.CharField(max_length=253)
    source_port = models.PositiveIntegerField()
    source_security = models.CharField(max_length=10, choices=Security)
    source_address = models.CharField(max_length=254, validators=[refuse_control_characters])
    source_password = EncryptedField()
    destination_server = models.ForeignKey(
        Server, models.SET_NULL, null=True, blank=True, related_name="incoming_jobs"
    )
    destination_name = models.CharField(max_length=120, blank=True)
    destination_host = models.CharField(max_length=253)
    destination_port = models.PositiveIntegerField()
    destination_security = models.CharField(max_length=10, choices=Security)
    destination_address = models.CharField(max_length=254, validators=[refuse_control_characters])
    destination_password = EncryptedField()
    uses_app_password = models.BooleanField(
        default=False, help_text="a temporary password of the destination, made for each run"
    )

    # How
    dry_run = models.BooleanField(default=True)
    options = models.JSONField(default=dict, blank=True, help_text="engines.plan.Options as JSON")
    engine_wanted = models.CharField(
        max_length=20, blank=True, help_text="as MIGRATION_ENGINE; empty takes that"
    )
    repeat_hours = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="hours from one real run to the next"
    )
    repeat_at = models.DateTimeField(null=True, blank=True, help_text="when it runs once more")

    # Queue
    state = models.CharField(max_length=20, choices=State, default=State.QUEUED)
    queued_at = models.DateTimeField(default=timezone.now)
    start_at = models.DateTimeField(null=True, blank=True, help_text="not before, a person said")
    try_after = models.DateTimeField(
        null=True, blank=True, help_text="not before, says the cause of its last failure"
    )
    retries = models.PositiveSmallIntegerField(
        default=0, help_text="how often a cause that passes had it tried again"
    )
    requeues = models.PositiveSmallIntegerField(default=0)
    stop_requested = models.BooleanField(default=False)
    stopped_by = models.CharField(max_length=254, blank=True)

    tries = models.PositiveSmallIntegerField(
        default=0, help_text="how often it was started since it was last queued by a person"
    )

    # The run that holds it, or the last one
    run = models.PositiveIntegerField(default=0, help_text="how often it was started")
    told_run = models.PositiveIntegerField(
        default=0, help_text="the last run whose end its starter was told of"
    )
    told_as = models.CharField(
        max_length=60, blank=True, help_text="how that one had ended: state and cause"
    )
    token = models.UUIDField(null=True, blank=True)
    owner = models.CharField(max_length=200, blank=True, help_text="worker host that runs it")
    lease_until = models.DateTimeField(null=True, blank=True)
    engine = models.CharField(max_length=20, blank=True)
    bandwidth = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="bytes per second, its part of what its host allows"
    )
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    succeeded_at = models.DateTimeField(
        null=True, blank=True, help_text="when a real run last ended well"
    )
    exit_status = models.IntegerField(null=True, blank=True)
    cause = models.CharField(max_length=40, blank=True, help_text="engines.causes.Cause")
    verdict = models.TextField(blank=True, help_text="one sentence: how it ended and what to do")

    # Progress of that run
    phase = models.CharField(max_length=10, choices=Phase, blank=True)
    folder = models.CharField(max_length=1000, blank=True)
    folders_done = models.PositiveIntegerField(default=0)
    folders_total = models.PositiveIntegerField(null=True, blank=True)
    messages_done = models.PositiveIntegerField(default=0)
    messages_total = models.PositiveIntegerField(null=True, blank=True)
    messages_copied = models.PositiveIntegerField(default=0)
    messages_present = models.PositiveIntegerField(default=0)
    messages_skipped = models.PositiveIntegerField(default=0)
    messages_failed = models.PositiveIntegerField(default=0)
    bytes_done = models.PositiveBigIntegerField(default=0)
    bytes_total = models.PositiveBigIntegerField(null=True, blank=True)
    version = models.PositiveIntegerField(
        default=0, help_text="grows with every visible change; pages poll it"
    )

    found_by = models.GeneratedField(
        expression=Lower(
            Concat(
                "name",
                models.Value("\n"),
                "source_address",
                models.Value("\n"),
                "destination_address",
                models.Value("\n"),
                "source_host",
                models.Value("\n"),
                "destination_host",
            )
        ),
        output_field=models.TextField(),
        db_persist=True,
        help_text="what a search looks into, ready to be compared",
    )

    class Meta:
        indexes = [
            models.Index(fields=["state", "queued_at", "id"]),
            models.Index(
                fields=["queued_at", "id"], condition=WAITING, name="waiting_jobs_in_order"
            ),
            models.Index(fields=["destination_host", "destination_address"]),
            models.Index(Lower("destination_address"), "id", name="migration_jobs_by_mailbox"),
            models.Index(fields=["batch", "state"], name="migration_jobs_of_a_batch"),
            models.Index(
                fields=["batch"],
                condition=TO_DO & models.Q(superseded_by=None),
                name="migration_jobs_to_do",
            ),
            models.Index(
                fields=["repeat_at"],
                condition=models.Q(repeat_at__isnull=False),
                name="migration_jobs_to_repeat",
            ),
            models.Index(
                fields=["batch", "id"],
                condition=models.Q(run__gt=models.F("told_run")),
                name="migration_jobs_to_tell_of",
            ),
            models.Index(
                RUNS_FIRST, LATEST_FIRST, models.F("id").desc(), name="migration_jobs_in_order"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                Lower("destination_host"),
                Lower("destination_address"),
                condition=models.Q(state=State.RUNNING),
                name="one_running_job_per_destination_mailbox",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def source_place(self) -> str:
        return host_and_port(self.source_host, self.source_port)

    @property
    def destination_place(self) -> str:
        return host_and_port(self.destination_host, self.destination_port)

    @property
    def starter_id(self) -> int | None:
        """The key of whoever queued it last."""
        return self.started_by_id or self.created_by_id

    @property
    def particulars(self) -> str:
        """What tells it from others of its name."""
        words = _("dry run from %(source)s") if self.dry_run else _("from %(source)s")
        return str(words % {"source": self.source_address})

    @property
    def is_finished(self) -> bool:
        return self.state in FINISHED or (
            self.state == State.INTERRUPTED and self.requeues > MAX_REQUEUES
        )

    @property
    def has_passwords(self) -> bool:
        """Whether it can run again: what it needs is stored, or made for each run."""
        has_destination = self.uses_app_password or bool(self.destination_password)
        return bool(self.source_password) and has_destination

    @property
    def log_name(self) -> str:
        """The file name of the complete log, `job-<id>-<name>.log`."""
        return f"job-{self.pk}-{slugify(re.sub('[.@]', '-', self.name)) or 'migration'}.log"
