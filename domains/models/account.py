"""What belongs to the PurelyMail account as a whole: its ownership code and its credit."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db import models
from django.db.models.functions import TruncDate
from django.utils import timezone


class PurelyMailAccount(models.Model):
    """The one row of account facts. The ownership code is public: it stands in DNS."""

    ownership_code = models.CharField(max_length=500, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "PurelyMail account"

    def __str__(self) -> str:
        return "PurelyMail account"


class CreditReadingQuerySet(models.QuerySet["CreditReading"]):
    """Reads of the credit history."""

    def lowest_per_day(self) -> list[tuple[date, Decimal]]:
        """One value a day, oldest first: what the chart draws."""
        per_day = self.annotate(day=TruncDate("at")).values("day").order_by("day")
        return list(per_day.annotate(lowest=models.Min("credit")).values_list("day", "lowest"))


class CreditReading(models.Model):
    """What the account held at one moment, in US dollars."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    credit = models.DecimalField(max_digits=20, decimal_places=8)

    objects = CreditReadingQuerySet.as_manager()

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return f"{self.credit:.2f} USD"
