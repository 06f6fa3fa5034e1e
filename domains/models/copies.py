"""How fresh each part of the local copy is."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

REFRESH_PATIENCE = timedelta(seconds=90)


class Kind(models.TextChoices):
    """The parts of the local copy."""

    DOMAINS = "domains", _("domains")
    MAILBOXES = "mailboxes", _("mailboxes")
    RULES = "rules", _("routing rules")
    CREDIT = "credit", _("account credit")
    OWNERSHIP = "ownership", _("ownership code")


class SyncState(models.Model):
    """How fresh one part of the copy is, and since when it could not be refreshed."""

    name = models.CharField(max_length=20, primary_key=True, choices=Kind)
    synced_at = models.DateTimeField(null=True, blank=True, help_text="the last whole answer")
    tried_at = models.DateTimeField(null=True, blank=True, help_text="the end of the last try")
    requested_at = models.DateTimeField(null=True, blank=True, help_text="somebody pressed Refresh")
    failed_since = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    is_outage = models.BooleanField(default=False, help_text="no answer, rather than a refusal")
    doubted_since = models.DateTimeField(
        null=True, blank=True, help_text="since when PurelyMail lists far less than the copy has"
    )
    doubted_size = models.PositiveIntegerField(
        null=True, blank=True, help_text="how many it listed then"
    )
    may_be_truncated = models.BooleanField(default=False)
    viewed_at = models.DateTimeField(
        null=True, blank=True, help_text="somebody looked at its list; kept to five minutes"
    )
    changed_at = models.DateTimeField(
        null=True, blank=True, help_text="the panel itself last changed it at PurelyMail"
    )

    def __str__(self) -> str:
        return self.get_name_display()

    @property
    def is_expected(self) -> bool:
        """Whether an answer is on its way: asked for, or the very first one."""
        return self.is_refreshing or (self.tried_at is None and self.requested_at is None)

    @property
    def is_overdue(self) -> bool:
        """Whether a refresh somebody asked for has not come, and is not waited for any more."""
        return self._is_awaited(since=None) and not self.is_refreshing

    @property
    def is_refreshing(self) -> bool:
        """Whether a refresh somebody asked for has yet to end."""
        return self._is_awaited(since=timezone.now() - REFRESH_PATIENCE)

    def _is_awaited(self, *, since: datetime | None) -> bool:
        """Whether no try has ended since it was asked for, and that was not before `since`."""
        if self.requested_at is None or (since and self.requested_at < since):
            return False
        return self.tried_at is None or self.tried_at < self.requested_at
