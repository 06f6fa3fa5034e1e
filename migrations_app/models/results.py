"""What a run found and did: folder by folder, message by message that is missing, line by line."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from migrations_app.models.jobs import MigrationJob

MOST_NUMBER = 2**31 - 1
MOST_BYTES = 10**14
"""What columns hold, and of bytes what the sum of many thousand rows holds too."""


def fitting(name: str, value: Any) -> Any:
    """What its column takes of a number that a server or an engine said, which may be any."""
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    return max(0, min(value, MOST_BYTES if "bytes" in name else MOST_NUMBER))


class FolderResult(models.Model):
    """What happened to one source folder in the job's latest run."""

    job = models.ForeignKey(MigrationJob, models.CASCADE, related_name="folder_results")
    position = models.PositiveIntegerField()
    source = models.CharField(max_length=1000)
    destination = models.CharField(max_length=1000)
    found = models.PositiveIntegerField(default=0)
    copied = models.PositiveIntegerField(default=0)
    present = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    bytes_found = models.PositiveBigIntegerField(default=0)
    bytes_copied = models.PositiveBigIntegerField(default=0)
    skipped_why = models.JSONField(
        default=dict, blank=True, help_text="how many messages by reason, engines.counts"
    )
    destination_messages = models.PositiveIntegerField(
        null=True, blank=True, help_text="in the folder when the run ended"
    )
    destination_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    is_done = models.BooleanField(default=False)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["job", "position"], name="one_result_per_folder")
        ]

    def __str__(self) -> str:
        return self.source


class LogChunk(models.Model):
    """Some lines of a job's log, in order of `id`; in the database, so that any host shows them."""

    job = models.ForeignKey(MigrationJob, models.CASCADE, related_name="log_chunks")
    run = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)
    text = models.TextField(help_text="lines `<ISO time> <level> <words>`, each ending in \\n")

    class Meta:
        indexes = [models.Index(fields=["job", "id"])]

    def __str__(self) -> str:
        return f"{self.job}, run {self.run}"


class Loss(models.Model):
    """One message of the source that the latest run could not bring over, without its subject."""

    job = models.ForeignKey(MigrationJob, models.CASCADE, related_name="losses")
    position = models.PositiveIntegerField()
    folder = models.CharField(max_length=1000)
    uid = models.CharField(max_length=20, blank=True, help_text="of the message in that folder")
    bytes = models.PositiveBigIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=500, help_text="what the server said")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["job", "position"], name="one_loss_per_position")
        ]

    def __str__(self) -> str:
        return f"{self.folder}/{self.uid}"


class CheckState(models.TextChoices):
    """Where the check of one job stands."""

    WAITING = "waiting", _("Waits")
    RUNNING = "running", _("Is looked at")
    READY = "ready", _("Ready")
    PROBLEM = "problem", _("Problem")


class Check(models.Model):
    """What a look at both mailboxes of a job found before anything was copied."""

    job = models.OneToOneField(MigrationJob, models.CASCADE, related_name="check_before")
    state = models.CharField(max_length=10, choices=CheckState, default=CheckState.WAITING)
    taken_until = models.DateTimeField(
        null=True, blank=True, help_text="when the worker that looks counts as dead"
    )
    checked_at = models.DateTimeField(null=True, blank=True)
    cause = models.CharField(max_length=40, blank=True, help_text="engines.causes.Cause")
    problem = models.CharField(max_length=1000, blank=True, help_text="what to do about it")
    note = models.CharField(max_length=1000, blank=True, help_text="worth knowing, in no way wrong")
    folders = models.PositiveIntegerField(null=True, blank=True)
    messages = models.PositiveIntegerField(null=True, blank=True)
    bytes = models.PositiveBigIntegerField(null=True, blank=True)
    destination_messages = models.PositiveIntegerField(null=True, blank=True)
    seconds = models.PositiveIntegerField(
        null=True, blank=True, help_text="about how long the migration will take"
    )

    class Meta:
        indexes = [models.Index(fields=["state", "id"])]

    def __str__(self) -> str:
        return f"{self.job}: {self.get_state_display()}"

    @property
    def is_settled(self) -> bool:
        return self.state in (CheckState.READY, CheckState.PROBLEM)
