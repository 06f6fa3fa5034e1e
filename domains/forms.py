"""Is what was typed well formed?"""

from __future__ import annotations

import re
from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from domains.models import Domain
from domains.services.copies import SETTINGS
from purelymanage.core.addresses import MAX_DOMAIN, clean_domain, shown_domain, split_address

TOO_LONG = gettext_lazy("A domain has at most 253 characters.")


class OwnDomainField(forms.ModelChoiceField):  # type: ignore[type-arg]  # no [] when it runs
    """One of the account's own domains, shown as people write it."""

    def __init__(self) -> None:
        super().__init__(
            Domain.objects.ours(),
            label=gettext_lazy("Domain"),
            to_field_name="name",
            empty_label=None,
            error_messages={
                "invalid_choice": gettext_lazy("This is not one of your domains. Choose another.")
            },
        )

    def label_from_instance(self, obj: Domain) -> str:
        return shown_domain(obj.name)


class DomainForm(forms.Form):
    """A domain to add, as people write it; what comes out is the form DNS knows."""

    name = forms.CharField(
        label=gettext_lazy("Domain"),
        max_length=2000,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
                "inputmode": "url",
                "maxlength": None,
            }
        ),
        error_messages={"max_length": TOO_LONG},
    )

    def clean_name(self) -> str:
        text: str = self.cleaned_data["name"].strip()
        if "/" in text:
            meant = _domain_in(text.partition("//")[2] if "//" in text else text)
            raise ValidationError(_("This is a web address.") + meant)
        if "@" in text:
            meant = _domain_in(split_address(text.removesuffix(">"))[1])
            raise ValidationError(_("This is an e-mail address.") + meant)
        return _cleaned(text)


def _cleaned(text: str) -> str:
    """Converting a very long name takes very long, so its length is judged first."""
    if len(text) > MAX_DOMAIN + 1:
        raise ValidationError(TOO_LONG)
    return clean_domain(text)


def _domain_in(text: str) -> str:
    """What to write instead, where it can be told."""
    host = re.split(r"[/?#]", text)[0]
    host = split_address(host)[1] or host
    try:
        name = shown_domain(_cleaned(host.partition(":")[0].removeprefix("www.")))
    except ValidationError:
        name = "example.com"
    return " " + _("Write only the domain: %(domain)s.") % {"domain": name}


class DeviationForm(forms.Form):
    """Why a record may differ, and until when."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Everyone who opens the domain reads it, with your name."),
        error_messages={"required": gettext_lazy("Say why this record may differ.")},
    )
    until = forms.DateField(
        label=gettext_lazy("Until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("After that day it counts as a failure again."),
        error_messages={"invalid": gettext_lazy("Write the day like 2026-11-20.")},
    )

    def clean_until(self) -> date | None:
        until: date | None = self.cleaned_data["until"]
        if until and until < timezone.localdate():
            raise ValidationError(_("This day is over. Choose a later one, or none."))
        return until


class SettingForm(forms.Form):
    """One switch of a domain's settings."""

    setting = forms.ChoiceField(choices=[(name, name) for name in SETTINGS])
    is_on = forms.BooleanField(required=False)
