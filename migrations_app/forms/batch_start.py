"""When the jobs of a batch start."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from migrations_app.forms.fields import MomentField
from migrations_app.models import Batch


class StartForm(forms.Form):
    """A moment by the panel's clock; none means as soon as there is room."""

    start_at = MomentField(label=_("Start at"), required=False)

    def __init__(self, data: Any = None, *, batch: Batch) -> None:
        is_ahead = batch.start_at and batch.start_at > timezone.now()
        super().__init__(data, initial={"start_at": batch.start_at if is_ahead else None})
