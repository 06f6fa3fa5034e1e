"""News on its way to where else `NOTIFY_URLS` wants it."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Push(models.Model):
    """One piece of news for one address of `NOTIFY_URLS`; gone once that has taken it."""

    target = models.CharField(
        max_length=64, help_text="a keyed hash of the address, which is a secret itself"
    )
    title = models.CharField(max_length=250)
    text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    try_after = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["target", "try_after"])]
        verbose_name_plural = "pushes"

    def __str__(self) -> str:
        return self.title
