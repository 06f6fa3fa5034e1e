"""What the workers tell about themselves, and locks that outlive a process."""

from __future__ import annotations

from django.db import models


class WorkerHost(models.Model):
    """One supervisor of workers. Its heartbeat is the database's clock."""

    name = models.CharField(max_length=200, unique=True, help_text="host:pid of the supervisor")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    capacity = models.PositiveIntegerField(default=0, help_text="workers of the sync cluster")
    version = models.CharField(max_length=40, blank=True, help_text="of the panel's programs")
    is_draining = models.BooleanField(default=False, help_text="it is about to stop")
    drained_at = models.DateTimeField(
        null=True, blank=True, help_text="since when it takes no work until somebody resumes it"
    )
    drained_by = models.CharField(max_length=254, blank=True, help_text="who wants it so")
    drained_because = models.CharField(
        max_length=500, blank=True, help_text="what keeps it from running any job"
    )
    app_answered_at = models.DateTimeField(
        null=True, blank=True, help_text="when the app cluster last ran our canary"
    )

    def __str__(self) -> str:
        return self.name

    @property
    def refuses_work(self) -> bool:
        """Whether it takes nothing more and gives back what it runs."""
        return self.is_draining or self.drained_at is not None


class TaskLock(models.Model):
    """Held by one task at a time until `held_until`; a dead holder's lock runs out."""

    name = models.CharField(max_length=100, primary_key=True)
    holder = models.UUIDField()
    held_until = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
