"""Temporary passwords of destination mailboxes, each to be revoked after its run."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from migrations_app.models.jobs import MigrationJob
from purelymanage.crypto import EncryptedField, EncryptedModel


class TemporaryPassword(EncryptedModel):
    """An app password made for one run. A row without its secret is a call whose end nobody saw."""

    job = models.ForeignKey(
        MigrationJob, models.SET_NULL, null=True, related_name="temporary_passwords"
    )
    run = models.PositiveIntegerField()
    address = models.CharField(max_length=254)
    secret = EncryptedField()
    asked_at = models.DateTimeField(default=timezone.now)
    made_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0, help_text="to revoke it")
    try_after = models.DateTimeField(
        null=True, blank=True, help_text="nobody else tries before; a pause, or a try under way"
    )
    problem = models.CharField(max_length=500, blank=True, help_text="why it is not revoked yet")

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["revoked_at", "id"])]

    def __str__(self) -> str:
        return f"{self.address}, run {self.run}"

    @property
    def name(self) -> str:
        """As PurelyMail's own page lists it, for whoever has to remove it there."""
        return f"PurelyManage, temporary {self.pk}"
