"""What belongs to the PurelyMail account as a whole: its ownership code and its credit."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class PurelyMailAccount(models.Model):
    """The one row of account facts. The ownership code is public: it stands in DNS."""

    ownership_code = models.CharField(max_length=500, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "PurelyMail account"

    def __str__(self) -> str:
        return "PurelyMail account"


class CreditReading(models.Model):
    """What the account held at one moment, in US dollars."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    credit = models.DecimalField(max_digits=20, decimal_places=8)

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return f"{self.credit:.2f} USD"
