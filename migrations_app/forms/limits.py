"""How much may run at once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from migrations_app.forms.fields import WholeNumberField
from migrations_app.models import Limits

MAX_AT_ONCE = 64


class LimitsForm(forms.Form):
    """How many jobs run at once."""

    concurrency = WholeNumberField(label=_("Jobs at a time"), most=MAX_AT_ONCE)
    per_source_host = WholeNumberField(
        label=_("Jobs at a time for one source host"), most=MAX_AT_ONCE
    )

    def __init__(self, data: Any = None, *, limits: Limits) -> None:
        initial = {name: getattr(limits, name) for name in self.base_fields}
        super().__init__(data, initial=initial)
