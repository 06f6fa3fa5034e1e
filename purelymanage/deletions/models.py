"""Deletions that wait out their 24 hours. The resource stays untouched until then."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from purelymanage.core.addresses import shown_address, shown_domain
from purelymanage.jobs.clock import seconds_from_now

DELAY = timedelta(hours=24)


class DeletionKind(models.TextChoices):
    """What can be deleted."""

    MAILBOX = "mailbox", _("Mailbox")
    DOMAIN = "domain", _("Domain")
    RULE = "rule", _("Routing rule")


class DeletionState(models.TextChoices):
    """Where a deletion stands."""

    PENDING = "pending", _("Pending")
    EXECUTED = "executed", _("Executed")
    CANCELLED = "cancelled", _("Cancelled")
    FAILED = "failed", _("Failed")


class PendingDeletionQuerySet(models.QuerySet["PendingDeletion"]):
    """Conditions on deletions."""

    def pending(self) -> PendingDeletionQuerySet:
        """Those still to come."""
        return self.filter(state=DeletionState.PENDING)

    def ended(self) -> PendingDeletionQuerySet:
        """Those executed, cancelled or given up."""
        return self.exclude(state=DeletionState.PENDING)

    def search(self, text: str) -> PendingDeletionQuerySet:
        """Those whose label or key contains `text`, with a domain in either of its forms."""
        if not text:
            return self
        typed = text.lower()
        shown = shown_address(typed) if "@" in typed else shown_domain(typed)
        found = models.Q(label__icontains=text) | models.Q(label__icontains=shown)
        by_key = models.Q(key__icontains=text) & ~models.Q(kind=DeletionKind.RULE)
        return self.filter(found | by_key)

    def unclaimed(self) -> PendingDeletionQuerySet:
        """Those no worker holds, by the database's clock."""
        has_lapsed = models.Q(lease_until__lte=seconds_from_now(0))
        return self.filter(models.Q(lease_until=None) | has_lapsed)

    def without_dossier(self) -> PendingDeletionQuerySet:
        """Those still to come whose dossier lacks what only PurelyMail knows."""
        return self.pending().filter(dossier_read_at=None)

    def dossier_due(self) -> PendingDeletionQuerySet:
        """Those about which PurelyMail is to be asked now, first those never asked about."""
        is_due = models.Q(dossier_try_after=None) | models.Q(dossier_try_after__lte=timezone.now())
        first = models.F("dossier_try_after").asc(nulls_first=True)
        return self.without_dossier().filter(is_due).order_by(first, "pk")

    def due(self) -> PendingDeletionQuerySet:
        """Those to be tried now; first those that did not fail yet, so that no other takes their
        turn."""
        now = seconds_from_now(0)
        may_be_tried = models.Q(try_after=None) | models.Q(try_after__lte=now)
        fresh = models.F("try_after").asc(nulls_first=True)
        rows = self.pending().unclaimed().filter(may_be_tried, due_at__lte=now)
        return rows.order_by(fresh, "due_at", "pk")

    def to_be_told(self) -> PendingDeletionQuerySet:
        """Those that failed, where no mail has said so yet."""
        return self.filter(state=DeletionState.FAILED, told_at=None)


class PendingDeletion(models.Model):
    """One resource to be deleted, with all that is needed to know it again and to rebuild it."""

    kind = models.CharField(max_length=10, choices=DeletionKind)
    key = models.CharField(
        max_length=254, help_text="address, domain name, or PurelyMail's number of the rule"
    )
    label = models.CharField(max_length=500)
    dossier = models.JSONField(default=dict, help_text="settings and dependants at that time")
    dossier_read_at = models.DateTimeField(
        null=True, blank=True, help_text="when the part only PurelyMail knows was added"
    )
    dossier_tries = models.PositiveSmallIntegerField(default=0)
    dossier_try_after = models.DateTimeField(
        null=True, blank=True, help_text="PurelyMail did not tell its part: when to ask again"
    )
    state = models.CharField(max_length=10, choices=DeletionState, default=DeletionState.PENDING)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    requested_by_name = models.CharField(max_length=254)
    requested_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField()
    identity = models.CharField(
        max_length=200,
        blank=True,
        help_text="what the copy knew it by: tells a resource from a later one of the same name",
    )

    # The try that is under way, and how the last one went: `deletions/execution.py`
    token = models.UUIDField(null=True, blank=True, help_text="the worker that has claimed it")
    lease_until = models.DateTimeField(
        null=True, blank=True, help_text="when the claim of a dead worker lapses"
    )
    tries = models.PositiveSmallIntegerField(default=0)
    first_tried_at = models.DateTimeField(null=True, blank=True)
    try_after = models.DateTimeField(null=True, blank=True, help_text="null is as soon as due")
    called_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="when PurelyMail was first told to delete it: since then it may be gone",
    )
    problem = models.CharField(
        max_length=500, blank=True, help_text="why the last try did not end it"
    )

    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by_name = models.CharField(max_length=254, blank=True)
    note = models.CharField(max_length=500, blank=True, help_text="how it ended")
    told_at = models.DateTimeField(
        null=True, blank=True, help_text="it failed: when the mail server took the mail about it"
    )
    freeze = models.ForeignKey(
        "Freeze",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="deletions",
        help_text="what cancelled it, where an owner froze the person who asked for it",
    )

    objects = PendingDeletionQuerySet.as_manager()

    class Meta:
        ordering = ["due_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"],
                condition=models.Q(state="pending"),
                name="one_pending_deletion_per_resource",
            )
        ]
        indexes = [models.Index(fields=["state", "due_at"])]

    def __str__(self) -> str:
        return self.label

    @property
    def is_pending(self) -> bool:
        return self.state == DeletionState.PENDING

    @property
    def time_left(self) -> timedelta:
        """Until it is due; zero from then on."""
        return max(self.due_at - timezone.now(), timedelta())


class Freeze(models.Model):
    """An owner stopped a person: all they had queued was cancelled, their sessions ended."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    person_name = models.CharField(max_length=254)
    frozen_by_name = models.CharField(max_length=254)
    frozen_at = models.DateTimeField(default=timezone.now)
    sessions = models.PositiveIntegerField(default=0, help_text="how many were ended")
    cancelled = models.PositiveIntegerField(default=0, help_text="how many deletions")
    stopped = models.JSONField(default=list, help_text="what else worked on in their name")
    too_late = models.JSONField(
        default=list, help_text="what was being deleted at that moment and could not be kept"
    )
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by_name = models.CharField(max_length=254, blank=True)

    class Meta:
        ordering = ["-frozen_at", "-pk"]

    def __str__(self) -> str:
        return self.person_name

    @property
    def note(self) -> str:
        """How it ended what it cancelled."""
        return str(_("With all that %(name)s had queued: a freeze.") % {"name": self.person_name})

    @property
    def is_undone(self) -> bool:
        return self.undone_at is not None


class Alarm(models.Model):
    """Somebody scheduled unusually many deletions; everyone who administers is told."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    person_name = models.CharField(max_length=254)
    raised_at = models.DateTimeField(default=timezone.now)
    told_at = models.DateTimeField(
        null=True, blank=True, help_text="when the mail server took the mail"
    )

    class Meta:
        ordering = ["-raised_at", "-pk"]

    def __str__(self) -> str:
        return self.person_name
