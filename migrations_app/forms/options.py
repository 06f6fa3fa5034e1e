"""How it is copied: the options of one job, or of all jobs of a batch."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from migrations_app.engines.plan import Options
from migrations_app.forms.fields import FoldersField, WholeNumberField

MEGABYTE = 1_000_000
KILOBYTE = 1_000


class OptionsForm(forms.Form):
    """What `engines.plan.Options` allows, in the units people think in."""

    map_special_folders = forms.BooleanField(
        label=_("Match special folders"), required=False, initial=True
    )
    include = FoldersField(label=_("Only these folders"))
    exclude = FoldersField(label=_("Leave out these folders"))
    max_age_days = WholeNumberField(
        label=_("Only messages of the last days"), most=36_500, required=False
    )
    max_size_mb = WholeNumberField(label=_("Largest message in MB"), most=100_000, required=False)
    bandwidth_kbs = WholeNumberField(
        label=_("Bandwidth limit in KB/s"), most=10_000_000, required=False
    )
    subscribe = forms.BooleanField(
        label=_("Subscribe to copied folders"), required=False, initial=True
    )

    OPTIONS: tuple[str, ...] = (
        "map_special_folders",
        "include",
        "exclude",
        "max_age_days",
        "max_size_mb",
        "bandwidth_kbs",
        "subscribe",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """What the form asks before comes before the options, also where the focus goes."""
        super().__init__(*args, **kwargs)
        self.order_fields([name for name in self.fields if name not in self.OPTIONS])

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        for folder in set(data.get("include") or ()) & set(data.get("exclude") or ()):
            self.add_error(
                "exclude",
                _("“%(folder)s” stands in both lists. Take it out of one.") % {"folder": folder},
            )
        return data

    def options(self) -> Options:
        """The options as they were typed."""
        data = self.cleaned_data
        return Options(
            map_special_folders=data["map_special_folders"],
            include=data["include"],
            exclude=data["exclude"],
            max_age_days=data["max_age_days"],
            max_message_bytes=in_bytes(data["max_size_mb"], MEGABYTE),
            bytes_per_second=in_bytes(data["bandwidth_kbs"], KILOBYTE),
            subscribe=data["subscribe"],
        )


def initial_options(options: Options) -> dict[str, Any]:
    """What the form shows for options that are stored."""
    return {
        "map_special_folders": options.map_special_folders,
        "include": options.include,
        "exclude": options.exclude,
        "max_age_days": options.max_age_days,
        "max_size_mb": in_units(options.max_message_bytes, MEGABYTE),
        "bandwidth_kbs": in_units(options.bytes_per_second, KILOBYTE),
        "subscribe": options.subscribe,
    }


def in_bytes(number: int | None, unit: int) -> int | None:
    """What was typed in KB or MB; nothing stays nothing."""
    return number * unit if number else None


def in_units(number: int | None, unit: int) -> int | None:
    """The reverse of `in_bytes`."""
    return max(1, number // unit) if number else None
