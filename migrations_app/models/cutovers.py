"""The day a domain's mail moves: from the first copy to the last look at the old inbox."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from migrations_app.models.batches import Batch


class CutOverStep(models.TextChoices):
    """What a cut-over is at."""

    COPY = "copy", _("First copy")
    DELTA = "delta", _("Delta, until MX points to PurelyMail")
    FINAL = "final", _("Final sync")
    CATCH_UP = "catch_up", _("Catching up")
    PURGE = "purge", _("Erasing the old passwords")
    DONE = "done", _("Done")


class CutOver(models.Model):
    """A batch of one domain on its way; each step begins by itself or by hand."""

    domain = models.CharField(max_length=253)
    batch = models.OneToOneField(Batch, models.CASCADE, related_name="cut_over")
    catch_up = models.OneToOneField(
        Batch,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="catches_up",
        help_text="the last look into the old inboxes",
    )
    step = models.CharField(max_length=10, choices=CutOverStep, default=CutOverStep.COPY)
    every_hours = models.PositiveSmallIntegerField(default=6)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    step_since = models.DateTimeField(default=timezone.now)
    step_times = models.JSONField(default=dict, help_text="when each step began, as ISO 8601")
    mx_seen_at = models.DateTimeField(
        null=True, blank=True, help_text="when our lookups first saw MX point to PurelyMail"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True, help_text="by hand")

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.domain

    @property
    def is_before_final(self) -> bool:
        return self.step in (CutOverStep.COPY, CutOverStep.DELTA)

    @property
    def is_open(self) -> bool:
        """Whether it still moves on by itself."""
        return self.ended_at is None and self.stopped_at is None
