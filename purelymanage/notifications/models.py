"""News on its way, by mail or to the addresses of `NOTIFY_URLS`, and how it got there."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

TARGET_WORDS = "person:<key>, or a keyed hash of an address of NOTIFY_URLS, each a secret"


class Message(models.Model):
    """One piece of news for one target; gone once that has taken it."""

    target = models.CharField(max_length=64, help_text=TARGET_WORDS)
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


class Delivery(models.Model):
    """How it went when something was last handed to one target."""

    target = models.CharField(max_length=64, unique=True, help_text=TARGET_WORDS)
    taken_at = models.DateTimeField(null=True, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True)
    why = models.CharField(
        max_length=300, blank=True, help_text="why it was not taken; empty since it is again"
    )

    class Meta:
        ordering = ["target"]
        verbose_name_plural = "deliveries"

    def __str__(self) -> str:
        return self.target
