"""Why a run ended as it did: one name per cause, the same for every engine."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Cause(models.TextChoices):
    """Causes of a failed or incomplete run."""

    SOURCE_PASSWORD = "source_password", _("Wrong source password")
    DESTINATION_PASSWORD = "destination_password", _("Wrong destination password")
    UNKNOWN = "unknown", _("Unknown")
