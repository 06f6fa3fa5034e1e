"""How much may run at once, and how gently a source host is treated."""

from __future__ import annotations

from datetime import time
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from migrations_app.forms.fields import TextField, WholeNumberField
from migrations_app.forms.options import KILOBYTE, MEGABYTE, in_bytes, in_units
from migrations_app.imap.hosts import MAX_HOST, clean_host
from migrations_app.imap.presets import Preset
from migrations_app.models import HostLimits, Limits

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


class ClockField(forms.TimeField):
    """A time of day, as browsers let people choose it."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
        messages: dict[str, Any] = {"invalid": _("Enter a time of day, like 22:00.")}
        super().__init__(widget=widget, required=False, error_messages=messages, **options)


class HostLimitsForm(forms.Form):
    """What one source host is spared; what is left empty is not limited."""

    host = TextField(
        label=_("Host"),
        max_length=MAX_HOST + 2,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    at_once = WholeNumberField(label=_("Jobs at a time"), most=MAX_AT_ONCE, required=False)
    bandwidth_kbs = WholeNumberField(
        label=_("Bandwidth limit in KB/s"), most=10_000_000, required=False
    )
    megabytes_a_day = WholeNumberField(label=_("MB a day"), most=100_000_000, required=False)
    per_mailbox = forms.BooleanField(label=_("For each mailbox by itself"), required=False)
    window_from = ClockField(label=_("Only from"))
    window_to = ClockField(label=_("Until"))

    def __init__(
        self, data: Any = None, *, limits: HostLimits | None = None, preset: Preset | None = None
    ) -> None:
        """Filled in from what is stored, and else from what a provider bears with."""
        initial = _initial(preset) if preset else {}
        if limits:
            initial |= {name: value for name, value in _initial(limits).items() if value}
        super().__init__(data, initial=initial)
        if limits:
            del self.fields["host"]

    def clean_host(self) -> str:
        return clean_host(self.cleaned_data["host"])

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        begin, end = data.get("window_from"), data.get("window_to")
        if (begin is None) != (end is None) and not self.errors:
            missing = "window_from" if begin is None else "window_to"
            self.add_error(missing, _("Give both times, or none."))
        elif begin is not None and begin == end:
            self.add_error("window_to", _("These hours begin when they end. Leave both empty."))
        return data

    def limits(self) -> dict[str, int | bool | time | None]:
        """For `services.limits`."""
        data = self.cleaned_data
        names = ("at_once", "per_mailbox", "window_from", "window_to")
        return {
            **{name: data[name] for name in names},
            "bytes_per_second": in_bytes(data["bandwidth_kbs"], KILOBYTE),
            "bytes_per_day": in_bytes(data["megabytes_a_day"], MEGABYTE),
        }


def _initial(given: HostLimits | Preset) -> dict[str, Any]:
    values: dict[str, Any] = {
        "host": given.host,
        "bandwidth_kbs": in_units(given.bytes_per_second, KILOBYTE),
        "megabytes_a_day": in_units(given.bytes_per_day, MEGABYTE),
        "per_mailbox": True,
    }
    if isinstance(given, HostLimits):
        names = ("at_once", "per_mailbox", "window_from", "window_to")
        values |= {name: getattr(given, name) for name in names}
    return values
