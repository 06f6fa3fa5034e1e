"""The local copy of PurelyMail's routing rules."""

from __future__ import annotations

from django.db import models

from domains.models import Domain


class RoutingRule(models.Model):
    """Domain, match and targets, as last read. `purelymail_id` is PurelyMail's 64-bit number."""

    purelymail_id = models.BigIntegerField(unique=True)
    domain = models.ForeignKey(Domain, models.CASCADE, related_name="routing_rules")
    match_user = models.CharField(max_length=254, blank=True)
    is_prefix = models.BooleanField(default=False)
    is_catchall = models.BooleanField(default=False)
    targets = models.JSONField(default=list)

    class Meta:
        ordering = ["domain__name", "match_user"]

    def __str__(self) -> str:
        return self.source

    @property
    def source(self) -> str:
        """`user@domain`, `prefix*@domain` or `*@domain`."""
        return f"{self.match_user}{'*' if self.is_prefix else ''}@{self.domain}"
