"""Who did what, on what, when, from where, and how it ended. Rows are only ever added."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NoReturn, Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.actions import LASTING, Action

PATIENCE = timedelta(minutes=15)
"""How long a change may go without an outcome before it counts as interrupted."""
PATIENCE_WITH_LASTING = timedelta(days=7)


class AppendOnlyError(TypeError):
    """Some code tried to change history."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """Refuses the bulk ways of changing what is on record."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("Audit rows are never changed.")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("Audit rows are never removed.")


class AppendOnly(models.Model):
    """A row that is written once. It guards against mistakes of ours, not against SQL."""

    class Meta:
        abstract = True

    def save(self, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("Audit rows are never changed.")
        super().save(**{**kwargs, "force_insert": True})

    def delete(self, using: Any = None, keep_parents: bool = False) -> NoReturn:  # noqa: FBT001, FBT002  Django's signature
        raise AppendOnlyError("Audit rows are never removed.")


class EntryQuerySet(AppendOnlyQuerySet):
    """Reads of the audit log."""

    def newest_first(self) -> Self:
        return self.select_related("outcome").order_by("-pk")


class Entry(AppendOnly):
    """The start of a change, written before the outside call."""

    class ActorKind(models.TextChoices):
        PERSON = "person", _("Person")
        SYSTEM = "system", _("System")
        CAMPAIGN = "campaign", _("Campaign link")

    at = models.DateTimeField(default=timezone.now, editable=False)
    actor_kind = models.CharField(max_length=10, choices=ActorKind, default=ActorKind.SYSTEM)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    actor_name = models.CharField(max_length=254)
    address = models.GenericIPAddressField(null=True, blank=True)
    action = models.CharField(max_length=50, help_text="audit.actions.Action")
    target = models.CharField(max_length=500, blank=True)
    before = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)

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
        """What was done, to follow the actor's name. An action we no longer know stays readable."""
        if self.action not in Action.values:
            return f"{self.action} {self.target}".strip()
        return str(Action(self.action).label).format(target=self.target)

    @property
    def is_interrupted(self) -> bool:
        """Whether the end is missing for so long that something must have stopped it."""
        patience = PATIENCE_WITH_LASTING if self.action in LASTING else PATIENCE
        return not hasattr(self, "outcome") and self.at < timezone.now() - patience


class Outcome(AppendOnly):
    """The end of a change. An entry without one was interrupted."""

    class Result(models.TextChoices):
        OK = "ok", _("Done")
        REFUSED = "refused", _("Refused")
        FAILED = "failed", _("Failed")

    entry = models.OneToOneField(Entry, models.PROTECT, related_name="outcome", primary_key=True)
    at = models.DateTimeField(default=timezone.now, editable=False)
    result = models.CharField(max_length=10, choices=Result)
    reason = models.CharField(max_length=500, blank=True)
    after = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)

    objects = AppendOnlyQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.entry}: {self.get_result_display()}"
