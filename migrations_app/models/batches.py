"""Many migrations that belong together: the file they come from, and work on all of them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from migrations_app.models.servers import Server
from purelymanage.core.addresses import refuse_control_characters
from purelymanage.crypto import EncryptedField, EncryptedModel
from purelymanage.ui.states import Look


class BatchState(models.TextChoices):
    """Where a batch stands. What its jobs do is counted from them."""

    PREVIEW = "preview", _("Preview")
    IMPORTING = "importing", _("Importing")
    ACTIVE = "active", _("Active")
    DISCARDED = "discarded", _("Discarded")


class Batch(models.Model):
    """Jobs that share servers and options and are looked at together."""

    name = models.CharField(max_length=120, validators=[refuse_control_characters])
    state = models.CharField(max_length=10, choices=BatchState)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_by_name = models.CharField(max_length=254)
    acting_from = models.GenericIPAddressField(
        null=True, blank=True, help_text="the address they came from, for the audit log"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    source_server = models.ForeignKey(Server, models.SET_NULL, null=True, related_name="+")
    destination_server = models.ForeignKey(Server, models.SET_NULL, null=True, related_name="+")
    dry_run = models.BooleanField(default=True)
    options = models.JSONField(default=dict, blank=True, help_text="engines.plan.Options as JSON")
    engine_wanted = models.CharField(max_length=20, blank=True)
    uses_app_password = models.BooleanField(default=False)
    all_or_nothing = models.BooleanField(
        default=False, help_text="imported only if every line can be"
    )
    start_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(
        null=True, blank=True, help_text="since when none of its jobs starts"
    )
    paused_by = models.CharField(max_length=254, blank=True)
    held_host = models.CharField(
        max_length=253, blank=True, help_text="in lower case: too many failed there, by its fault"
    )
    held_until = models.DateTimeField(
        null=True, blank=True, help_text="none of its jobs starts before with that host"
    )
    held_because = models.CharField(max_length=500, blank=True)
    told_at = models.DateTimeField(
        null=True, blank=True, help_text="when the mail about its end was sent"
    )

    view: Any
    """How far it is, a `BatchView`; set for the list."""

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return self.name

    @property
    def is_preview(self) -> bool:
        return self.state == BatchState.PREVIEW

    @property
    def is_importing(self) -> bool:
        return self.state == BatchState.IMPORTING

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None

    @property
    def is_held(self) -> bool:
        """Whether too many of its passwords were refused just now."""
        return self.held_until is not None and self.held_until > timezone.now()


class LineState(models.TextChoices):
    """Where one line of a file stands."""

    GOOD = "good", _("Good")
    BAD = "bad", _("Not usable")
    IMPORTED = "imported", _("Imported")


class BatchLine(EncryptedModel):
    """One line of the file a batch comes from. Its passwords go to the job and are erased here."""

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="lines")
    line = models.PositiveIntegerField(help_text="where it begins, as an editor counts")
    source_address = models.CharField(max_length=254, blank=True)
    source_password = EncryptedField()
    destination_address = models.CharField(max_length=254, blank=True)
    destination_password = EncryptedField()
    state = models.CharField(max_length=10, choices=LineState)
    problem = models.CharField(max_length=500, blank=True, help_text="why it cannot be used")
    note = models.CharField(max_length=500, blank=True, help_text="worth knowing")
    job = models.ForeignKey(
        "migrations_app.MigrationJob", models.SET_NULL, null=True, blank=True, related_name="+"
    )

    look: Look
    """How its state is shown; set for pages."""

    class Meta:
        ordering = ["line"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "line"], name="one_line_of_a_batch")
        ]
        indexes = [models.Index(fields=["batch", "state", "line"])]

    def __str__(self) -> str:
        return f"line {self.line}"


class BulkAction(models.TextChoices):
    """What can be done to many jobs at once."""

    CANCEL = "cancel", _("Cancel")
    NOW = "now", _("Run now")
    REAL = "real", _("Run for real")
    RERUN = "rerun", _("Re-run")
    RETRY = "retry", _("Retry failed")
    ERASE = "erase", _("Erase passwords")
    DELETE = "delete", _("Delete")
    DELETE_BATCH = "delete_batch", _("Delete the batch")


class BulkWork(models.Model):
    """An action on all jobs that match, done by a worker in slices."""

    action = models.CharField(max_length=20, choices=BulkAction)
    batch = models.ForeignKey(Batch, models.CASCADE, null=True, blank=True, related_name="works")
    wanted = models.JSONField(default=dict, help_text="selectors.JobFilter as JSON")
    last_id = models.PositiveBigIntegerField(help_text="jobs made later do not belong to it")
    reached_id = models.PositiveBigIntegerField(default=0, help_text="how far it got")
    in_hand_id = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="the job that is being done"
    )
    total = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    refusals = models.JSONField(default=list, help_text="the first sentences of those refused")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_by_name = models.CharField(max_length=254)
    acting_from = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.action}: {self.done} of {self.total}"

    @property
    def settled(self) -> int:
        return self.done + self.refused
