from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from purelymanage.core.addresses import clean_domain


class PublishForm(forms.Form):
    """Which records of which domain are to appear in the demo's DNS."""

    domain = forms.CharField(max_length=500)
    what = forms.ChoiceField(
        choices=[("ownership", _("the ownership record")), ("all", _("all seven records"))]
    )

    def clean_domain(self) -> str:
        return clean_domain(self.cleaned_data["domain"])
