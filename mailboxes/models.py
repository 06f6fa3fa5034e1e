"""The local copy of PurelyMail's users, and work on many of them at once."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from domains.models import Domain
from purelymanage.core.addresses import shown_domain, split_address
from purelymanage.crypto import EncryptedField, EncryptedModel
from purelymanage.deletions.models import DeletionKind, PendingDeletion

SYMBOLS = frozenset(".+-_")
"""With symbolic subaddressing on, PurelyMail drops or joins what follows one of these."""


class MailboxQuerySet(models.QuerySet["Mailbox"]):
    """Conditions on mailboxes."""

    def search(self, text: str) -> MailboxQuerySet:
        """Those whose address contains `text` as it is stored or shown, whatever the case."""
        if not text:
            return self
        found = models.Q(address__icontains=text)
        local_part, at, typed = text.casefold().rpartition("@")
        names = Domain.objects.filter(name__contains="xn--").values_list("name", flat=True)
        for name in names:
            shown = shown_domain(name)
            if shown.startswith(typed) if at else typed in shown:
                found |= models.Q(address__iendswith=f"{local_part}@{name}")
        return self.filter(found)

    def pending(self) -> MailboxQuerySet:
        """Those to be deleted within a day."""
        return self.filter(address__in=_pending_keys())

    def active(self) -> MailboxQuerySet:
        """Those that stay."""
        return self.exclude(address__in=_pending_keys())


class Mailbox(models.Model):
    """One address, as last read from PurelyMail."""

    address = models.CharField(max_length=254, unique=True)
    domain = models.ForeignKey(Domain, models.CASCADE, related_name="mailboxes")
    created_at = models.DateTimeField(auto_now_add=True)

    rule_count: int
    """How many routing rules name it; set by the list."""

    objects = MailboxQuerySet.as_manager()

    class Meta:
        ordering = ["address"]
        verbose_name_plural = "mailboxes"

    def __str__(self) -> str:
        return self.address

    @property
    def may_miss_mail(self) -> bool:
        """Whether PurelyMail may simplify its own address before it looks for a mailbox."""
        local_part, _domain = split_address(self.address)
        return self.domain.symbolic_subaddressing and not SYMBOLS.isdisjoint(local_part)


def _pending_keys() -> models.QuerySet[PendingDeletion, str]:
    rows = PendingDeletion.objects.pending().filter(kind=DeletionKind.MAILBOX)
    return rows.values_list("key", flat=True)


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


class MailboxBatch(models.Model):
    """One piece of work on many mailboxes: a CSV to create, or an action on a selection."""

    kind = models.CharField(max_length=20, choices=BatchKind)
    state = models.CharField(max_length=10, choices=BatchState)
    name = models.CharField(max_length=200, blank=True, help_text="the file it came from")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_by_name = models.CharField(max_length=254)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    stopped_because = models.CharField(
        max_length=500, blank=True, help_text="why it waits: PurelyMail does not answer"
    )
    downloaded_at = models.DateTimeField(
        null=True, blank=True, help_text="the passwords left once, and were erased"
    )

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name_plural = "mailbox batches"

    def __str__(self) -> str:
        return self.name or str(self.get_kind_display())


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

    The password of a new mailbox is kept, encrypted, until it was downloaded once.
    """

    batch = models.ForeignKey(MailboxBatch, models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField(help_text="in the file; its place in a selection")
    local_part = models.CharField(max_length=254, blank=True)
    domain_name = models.CharField(max_length=254, blank=True)
    password = EncryptedField()
    is_generated = models.BooleanField(default=False, help_text="the panel made the password")
    state = models.CharField(max_length=10, choices=RowState)
    message = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["line"]
        constraints = [models.UniqueConstraint(fields=["batch", "line"], name="one_row_per_line")]
        indexes = [models.Index(fields=["batch", "state", "line"])]

    def __str__(self) -> str:
        return self.address

    @property
    def address(self) -> str:
        """As typed, where it makes no address."""
        return f"{self.local_part}@{self.domain_name}"
