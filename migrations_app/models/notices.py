"""Who has a page about migrations open, and so needs no mail about what it shows."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Watch(models.Model):
    """When a person last had one page open; noted now and then, not each time the page asks."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    page = models.CharField(max_length=40, help_text="job:<key> or batch:<key>")
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ["-seen_at"]
        verbose_name_plural = "watches"
        constraints = [
            models.UniqueConstraint(fields=["user", "page"], name="one_watch_per_person_and_page")
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.page}"
