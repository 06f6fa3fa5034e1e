"""The local copy of PurelyMail's domains."""

from __future__ import annotations

from django.db import models


class Domain(models.Model):
    """A domain of the PurelyMail account, as last read; the flags are PurelyMail's verdicts."""

    name = models.CharField(max_length=253, unique=True)
    is_shared = models.BooleanField(default=False)
    passes_mx = models.BooleanField(default=False)
    passes_spf = models.BooleanField(default=False)
    passes_dkim = models.BooleanField(default=False)
    passes_dmarc = models.BooleanField(default=False)
    allow_account_reset = models.BooleanField(default=False)
    symbolic_subaddressing = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
