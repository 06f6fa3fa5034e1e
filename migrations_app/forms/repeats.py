"""How often jobs run again, and the cut-over of a domain."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from migrations_app.forms.fields import WholeNumberField
from migrations_app.models import Batch
from migrations_app.selectors.cutovers import batches_to_cut_over
from migrations_app.services.repeats import MOST_HOURS

USUAL_HOURS = 6


class RepeatForm(forms.Form):
    """Hours from one run to the next; none means that it does not repeat."""

    hours = WholeNumberField(label=_("Every so many hours"), most=MOST_HOURS, required=False)


class CutOverForm(forms.Form):
    """A batch whose mail goes to one domain, and how often it is copied again until MX moves."""

    batch = forms.ModelChoiceField(
        Batch.objects.none(), label=_("Batch"), empty_label=_("Choose a batch")
    )
    every_hours = WholeNumberField(label=_("Copy again every so many hours"), most=MOST_HOURS)

    def __init__(self, data: Any = None, *, batch: str = "") -> None:
        chosen = batch if batch.isdecimal() else None
        super().__init__(data, initial={"batch": chosen, "every_hours": USUAL_HOURS})
        choice = self.fields["batch"]
        assert isinstance(choice, forms.ModelChoiceField)  # noqa: S101  declared above
        choice.queryset = batches_to_cut_over()
