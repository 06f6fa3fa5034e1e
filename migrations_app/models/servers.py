"""IMAP servers mail comes from or goes to, and how gently each host is to be treated."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from migrations_app.engines.wording import host_and_port
from purelymanage.core.addresses import refuse_control_characters


class Security(models.TextChoices):
    """How the connection is protected; certificates are always verified."""

    TLS = "tls", _("TLS")
    STARTTLS = "starttls", _("STARTTLS")
    NONE = "none", _("Not encrypted")


class Server(models.Model):
    """An IMAP server mail comes from or goes to. No credentials."""

    name = models.CharField(max_length=120, unique=True, validators=[refuse_control_characters])
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField(
        default=993, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    security = models.CharField(max_length=10, choices=Security, default=Security.TLS)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def place(self) -> str:
        return host_and_port(self.host, self.port)


class Limits(models.Model):
    """The one row of limits, read inside every claim and changeable while jobs run."""

    concurrency = models.PositiveIntegerField(
        default=2, validators=[MinValueValidator(1), MaxValueValidator(64)]
    )
    per_source_host = models.PositiveIntegerField(
        default=4, validators=[MinValueValidator(1), MaxValueValidator(64)]
    )

    class Meta:
        verbose_name_plural = "limits"

    def __str__(self) -> str:
        return f"{self.concurrency} at a time, {self.per_source_host} per source host"


class HostLimits(models.Model):
    """What one source host is spared: everything left empty is not limited."""

    host = models.CharField(max_length=253, unique=True, help_text="in lower case")
    at_once = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(64)]
    )
    bytes_per_second = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="of all its jobs together, or of each"
    )
    bytes_per_day = models.PositiveBigIntegerField(null=True, blank=True)
    per_mailbox = models.BooleanField(
        default=False, help_text="bytes per second and day are for each mailbox by itself"
    )
    window_from = models.TimeField(null=True, blank=True, help_text="by the panel's clock")
    window_to = models.TimeField(null=True, blank=True)
    closed_until = models.DateTimeField(
        null=True, blank=True, help_text="no job starts before: too many failed in the same way"
    )
    closed_because = models.CharField(max_length=500, blank=True)

    used: int
    """Bytes read from it on a day; set by `manners.hosts_with_use`."""
    spent: list[str] | None
    """The mailboxes that used up that day's bytes alone; set there too."""

    class Meta:
        ordering = ["host"]
        verbose_name_plural = "host limits"

    def __str__(self) -> str:
        return self.host

    @property
    def is_only_closed(self) -> bool:
        """Whether it spares the host nothing and keeps until when that is, or was, closed."""
        limits = (self.at_once, self.bytes_per_second, self.bytes_per_day, self.window_from)
        return self.closed_until is not None and all(limit is None for limit in limits)


class HostUse(models.Model):
    """What was read from a mailbox on one day, of which some providers allow only so much."""

    host = models.CharField(max_length=253, help_text="in lower case")
    mailbox = models.CharField(max_length=254, help_text="in lower case")
    day = models.DateField(help_text="in UTC")
    bytes = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "host", "mailbox"], name="one_use_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.mailbox} at {self.host} on {self.day}: {self.bytes}"
