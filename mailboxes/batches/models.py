"""Work on many mailboxes at once: what is to be done, row by row, and how far it got."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from purelymanage.crypto import EncryptedField, EncryptedModel
from purelymanage.ui.states import Look

KEPT = timedelta(days=7)
"""How long new passwords wait to be downloaded, and previews to be started."""
TRANSFER = timedelta(minutes=5)
"""How long a download of them may take before its process is thought dead."""
PATIENCE = timedelta(seconds=10)
"""How long a batch that is due waits for a worker before its page says so."""


class BatchKind(models.TextChoices):
    """What is done to every row of a batch."""

    CREATE = "create", _("Create")
    REQUIRE_2FA = "require_2fa", _("Require a second factor")
    DELETE = "delete", _("Schedule deletion")


class BatchState(models.TextChoices):
    """Where a batch stands. A preview waits for a person, running ones survive a restart."""

    PREVIEW = "preview", _("Preview")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")


class MailboxBatchQuerySet(models.QuerySet["MailboxBatch"]):
    """Conditions on batches, by the database's clock: workers on several hosts share it."""

    def unfinished(self) -> MailboxBatchQuerySet:
        """Started and not at their end: at work, waiting, or stopped until a person acts."""
        return self.filter(state=BatchState.RUNNING)

    def stopped(self) -> MailboxBatchQuerySet:
        """Going on only when a person says so."""
        return self.unfinished().filter(resume_at=None)

    def due(self) -> MailboxBatchQuerySet:
        """For a worker to take up now: started, paused long enough, or left by a dead worker."""
        return self.filter(resume_at__lte=Now()).order_by("resume_at", "pk")

    def at_work(self) -> MailboxBatchQuerySet:
        """In the hands of a living worker."""
        return self.filter(resume_at__gt=Now()).exclude(holder=None)


class MailboxBatch(models.Model):
    """One piece of work on many mailboxes: a CSV to create, or an action on a selection."""

    kind = models.CharField(max_length=20, choices=BatchKind)
    state = models.CharField(max_length=10, choices=BatchState)
    name = models.CharField(max_length=200, blank=True, help_text="the file it came from")
    all_or_nothing = models.BooleanField(
        default=False, help_text="starts only if every row can be done, stops at a refused one"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        help_text="in whose name it works: whoever made it, or last had it go on",
    )
    created_by_name = models.CharField(max_length=254)
    acting_from = models.GenericIPAddressField(
        null=True, blank=True, help_text="the address they came from, for the audit log"
    )
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    holder = models.UUIDField(null=True, blank=True, help_text="the worker that has it in hand")
    resume_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="when a worker takes it up: the end of a pause, or of the holder's lease",
    )
    failures = models.PositiveSmallIntegerField(
        default=0, help_text="pauses in a row, each longer than the last"
    )
    stopped_because = models.CharField(
        max_length=500, blank=True, help_text="why it waits: PurelyMail does not answer"
    )
    downloaded_at = models.DateTimeField(
        null=True, blank=True, help_text="when the passwords left; they are erased with that"
    )

    number: int
    """How many rows it has; set by the list."""

    objects = MailboxBatchQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name_plural = "mailbox batches"
        indexes = [models.Index(fields=["resume_at"])]

    def __str__(self) -> str:
        return self.name or str(self.get_kind_display())

    @property
    def is_preview(self) -> bool:
        return self.state == BatchState.PREVIEW

    @property
    def is_running(self) -> bool:
        return self.state == BatchState.RUNNING

    @property
    def is_stopped(self) -> bool:
        """Whether it goes on only when a person says so."""
        return self.is_running and self.resume_at is None

    @property
    def is_ending(self) -> bool:
        """Whether it is cancelled and a worker has yet to see how the row at work ended."""
        return self.state == BatchState.CANCELLED and self.resume_at is not None

    @property
    def erased_on(self) -> datetime | None:
        """When passwords that nobody downloaded go."""
        return self.ended_at + KEPT if self.ended_at else None

    @property
    def is_being_downloaded(self) -> bool:
        """Whether passwords that are still there are on their way to somebody."""
        return self.downloaded_at is not None and self.downloaded_at > timezone.now() - TRANSFER

    @property
    def is_paused(self) -> bool:
        """Whether it waits for PurelyMail and goes on by itself."""
        return self.is_running and bool(self.stopped_because) and not self.is_stopped

    @property
    def is_left(self) -> bool:
        """Whether it should be at work and no worker has it: one died, or none is free."""
        due = self.resume_at if self.is_running and not self.stopped_because else None
        return due is not None and due < timezone.now() - PATIENCE


class RowState(models.TextChoices):
    """Where one row of a batch stands."""

    INVALID = "invalid", _("Not usable")
    READY = "ready", _("Ready")
    STARTED = "started", _("Started")
    DONE = "done", _("Done")
    SKIPPED = "skipped", _("Skipped")
    FAILED = "failed", _("Failed")


class MailboxBatchRow(EncryptedModel):
    """One mailbox of a batch. `started` marks a call whose end was not seen: look before repeating.

    A new password is kept, encrypted, until the mailbox is made; one that the panel generated,
    until it was downloaded. A `message` on a started row says that the call left us.
    """

    batch = models.ForeignKey(MailboxBatch, models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField(help_text="in the file; its place in a selection")
    local_part = models.CharField(max_length=254, blank=True)
    domain_name = models.CharField(max_length=254, blank=True)
    password = EncryptedField()
    is_generated = models.BooleanField(default=False, help_text="the panel made the password")
    state = models.CharField(max_length=10, choices=RowState)
    tries = models.PositiveSmallIntegerField(
        default=0, help_text="that came to nothing; the others have their turn first"
    )
    message = models.CharField(max_length=500, blank=True)

    look: Look
    """How its state is shown; set for pages."""

    class Meta:
        ordering = ["line"]
        constraints = [models.UniqueConstraint(fields=["batch", "line"], name="one_row_per_line")]
        indexes = [models.Index(fields=["batch", "state", "tries", "line"])]

    def __str__(self) -> str:
        return self.address

    @property
    def address(self) -> str:
        """As typed, where it makes no address."""
        if not self.domain_name:
            return self.local_part
        return f"{self.local_part}@{self.domain_name}"

    @property
    def has_new_password(self) -> bool:
        """Whether a password that only we know waits to be downloaded."""
        return self.state == RowState.DONE and self.is_generated and bool(self.password)
