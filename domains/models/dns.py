"""What our own resolver found of the seven records, what was accepted, and what changed when."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from domains.models.domain import Domain


class RecordKey(models.TextChoices):
    """The seven records every domain needs, in the order they are shown."""

    MX = "mx", _("MX, receiving")
    SPF = "spf", _("SPF, who may send")
    OWNERSHIP = "ownership", _("Ownership")
    DKIM1 = "dkim1", _("DKIM key 1")
    DKIM2 = "dkim2", _("DKIM key 2")
    DKIM3 = "dkim3", _("DKIM key 3")
    DMARC = "dmarc", _("DMARC, policy")


class RecordState(models.TextChoices):
    """What a lookup says of a record. A notice is on purpose and works: no failure."""

    OK = "ok", _("OK")
    NOTICE = "notice", _("Own policy")
    WRONG = "wrong", _("Wrong")
    MISSING = "missing", _("Missing")
    NO_ANSWER = "no_answer", _("No answer")


class CheckSource(models.TextChoices):
    """Who saw it."""

    OWN = "own", _("Our lookup")
    PURELYMAIL = "purelymail", _("PurelyMail")


class DnsRecord(models.Model):
    """The last answer about one record of a domain, and whether the newest try had one."""

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="records")
    key = models.CharField(max_length=10, choices=RecordKey)
    state = models.CharField(
        max_length=10, choices=RecordState, help_text="by the last answer; no_answer if never any"
    )
    found = models.JSONField(default=list, help_text="the values of the last answer, as text")
    advice = models.CharField(max_length=30, blank=True, help_text="domains.advice.Advice")
    is_answered = models.BooleanField(default=True, help_text="whether the newest try had one")
    problem = models.CharField(max_length=200, blank=True, help_text="why there was no answer")
    looked_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["domain", "key"], name="one_row_per_dns_record")
        ]

    def __str__(self) -> str:
        return f"{self.get_key_display()}: {self.shown_state}"

    @property
    def shown_state(self) -> RecordState:
        """The state as of the newest try: an unanswered one is never shown as missing."""
        return RecordState(self.state) if self.is_answered else RecordState.NO_ANSWER


class Deviation(models.Model):
    """A record that differs on purpose, with who says so and why.

    It holds for the values found when it was accepted, and until `until` where that is given.
    """

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="deviations")
    key = models.CharField(max_length=10, choices=RecordKey)
    found = models.JSONField(default=list)
    reason = models.CharField(max_length=500)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    accepted_by_name = models.CharField(max_length=254)
    accepted_at = models.DateTimeField(default=timezone.now)
    until = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["domain", "key"], name="one_deviation_per_dns_record")
        ]

    def __str__(self) -> str:
        return f"{self.domain}: {self.get_key_display()}"


class DnsChange(models.Model):
    """A state that changed. It is told to people once a second check has seen the same."""

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="dns_changes")
    source = models.CharField(max_length=10, choices=CheckSource)
    subject = models.CharField(
        max_length=10, help_text="a RecordKey for our lookups, one of CHECKS for PurelyMail"
    )
    before = models.CharField(max_length=10)
    after = models.CharField(max_length=10)
    at = models.DateTimeField(default=timezone.now)
    held_at = models.DateTimeField(null=True, blank=True, help_text="seen by a second check")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="gone before it held")
    notified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["domain", "-at"])]

    def __str__(self) -> str:
        return f"{self.domain}: {self.subject} {self.before} → {self.after}"
