"""Who did what, on what, when, from where, and how it ended. Rows are only ever added."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.actions import Action


class EntryQuerySet(models.QuerySet["Entry"]):
    """Reads of the audit log."""

    def newest_first(self) -> EntryQuerySet:
        return self.select_related("outcome").order_by("-pk")


class Entry(models.Model):
    """The start of a change, written before the outside call."""

    class ActorKind(models.TextChoices):
        PERSON = "person", _("Person")
        SYSTEM = "system", _("System")
        CAMPAIGN = "campaign", _("Campaign link")

    at = models.DateTimeField(default=timezone.now, editable=False)
    actor_kind = models.CharField(max_length=10, choices=ActorKind, default=ActorKind.SYSTEM)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    actor_name = models.CharField(max_length=254)
    address = models.GenericIPAddressField(null=True, blank=True)
    action = models.CharField(max_length=50, choices=Action)
    target = models.CharField(max_length=500, blank=True)
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)

    objects = EntryQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["action"]),
            models.Index(fields=["at"]),
            models.Index(fields=["target"]),
        ]
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return f"{self.actor_name} {self.sentence}"

    @property
    def sentence(self) -> str:
        """What was done, to follow the actor's name."""
        return str(Action(self.action).label).format(target=self.target)


class Outcome(models.Model):
    """The end of a change. An entry without one was interrupted."""

    class Result(models.TextChoices):
        OK = "ok", _("Done")
        REFUSED = "refused", _("Refused")
        FAILED = "failed", _("Failed")

    entry = models.OneToOneField(Entry, models.PROTECT, related_name="outcome", primary_key=True)
    at = models.DateTimeField(default=timezone.now, editable=False)
    result = models.CharField(max_length=10, choices=Result)
    reason = models.CharField(max_length=500, blank=True)
    after = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return f"{self.entry}: {self.get_result_display()}"
