"""News on its way: to a person by mail, or to where else `NOTIFY_URLS` wants it."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Message(models.Model):
    """One piece of news for one target; gone once that has taken it."""

    target = models.CharField(
        max_length=64,
        help_text="person:<key>, or a keyed hash of an address of NOTIFY_URLS, each a secret",
    )
    title = models.CharField(max_length=250)
    text = models.TextField()
    html = models.TextField(blank=True, help_text="the same, for mail")
    created_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    try_after = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["target", "try_after"])]

    def __str__(self) -> str:
        return self.title
