"""One job: from where, to where, and how."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from migrations_app.engines.plan import Options
from migrations_app.forms.fields import (
    FoldersField,
    LoginNameField,
    SecretField,
    TextField,
    WholeNumberField,
)
from migrations_app.models import MigrationJob, Server
from migrations_app.services.jobs import MAX_NAME, End

MEGABYTE = 1_000_000
KILOBYTE = 1_000


class JobForm(forms.Form):
    """One mailbox's migration. With `job` it edits that one: empty passwords keep the stored."""

    name = TextField(label=_("Name"), max_length=MAX_NAME, required=False)
    source_server = forms.ModelChoiceField(label=_("Source server"), queryset=Server.objects.none())
    source_address = LoginNameField(label=_("Source address"))
    source_password = SecretField(label=_("Source password"))
    destination_server = forms.ModelChoiceField(
        label=_("Destination server"), queryset=Server.objects.none()
    )
    destination_address = LoginNameField(label=_("Destination address"))
    destination_password = SecretField(label=_("Destination password"))
    dry_run = forms.BooleanField(label=_("Dry run"), required=False, initial=True)

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

    SIDES = ("source", "destination")
    OPTIONS = (
        "map_special_folders",
        "include",
        "exclude",
        "max_age_days",
        "max_size_mb",
        "bandwidth_kbs",
        "subscribe",
    )

    def __init__(self, data: Any = None, *, job: MigrationJob | None = None) -> None:
        super().__init__(data, initial=_initial(job) if job else None)
        self.job = job
        for side in self.SIDES:
            self._offer_servers(side)
            if job and getattr(job, f"{side}_password"):
                self.fields[f"{side}_password"].required = False

    def _offer_servers(self, side: str) -> None:
        choice = self.fields[f"{side}_server"]
        assert isinstance(choice, forms.ModelChoiceField)  # noqa: S101  declared above
        choice.queryset = Server.objects.all()
        choice.empty_label = _("Choose a server")
        choice.error_messages["required"] = _("Choose a server.")
        choice.error_messages["invalid_choice"] = _("This server is gone. Choose another.")
        if self.job and not getattr(self.job, f"{side}_server_id"):
            choice.required = False
            facts = {name: getattr(self.job, f"{side}_{name}") for name in ("name", "place")}
            choice.empty_label = (
                _("%(name)s (deleted; %(place)s)") % facts
                if facts["name"]
                else _("%(place)s (deleted server)") % facts
            )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        for folder in set(data.get("include") or ()) & set(data.get("exclude") or ()):
            self.add_error(
                "exclude",
                _("“%(folder)s” stands in both lists. Take it out of one.") % {"folder": folder},
            )
        return data

    @property
    def opens_options(self) -> bool:
        """Whether the options have to be seen: one is wrong, or one is set."""
        return any(
            name in self.errors
            or (self.job and (self[name].value() or None) != (self.fields[name].initial or None))
            for name in self.OPTIONS
        )

    def values(self) -> dict[str, Any]:
        """What `create_job` and `update_job` take."""
        data = self.cleaned_data
        return {
            "name": data["name"],
            "source": self.end("source"),
            "destination": self.end("destination"),
            "dry_run": data["dry_run"],
            "options": Options(
                map_special_folders=data["map_special_folders"],
                include=data["include"],
                exclude=data["exclude"],
                max_age_days=data["max_age_days"],
                max_message_bytes=_times(data["max_size_mb"], MEGABYTE),
                bytes_per_second=_times(data["bandwidth_kbs"], KILOBYTE),
                subscribe=data["subscribe"],
            ),
        }

    def end(self, side: str) -> End:
        """One side, as typed."""
        return End(
            server=self.cleaned_data[f"{side}_server"],
            address=self.cleaned_data[f"{side}_address"],
            password=self.cleaned_data[f"{side}_password"],
        )


def _times(number: int | None, unit: int) -> int | None:
    return number * unit if number else None


def _per(number: int | None, unit: int) -> int | None:
    return max(1, number // unit) if number else None


def _initial(job: MigrationJob) -> dict[str, Any]:
    options = Options.from_json(job.options)
    return {
        "name": job.name,
        "source_server": job.source_server_id,
        "source_address": job.source_address,
        "destination_server": job.destination_server_id,
        "destination_address": job.destination_address,
        "dry_run": job.dry_run,
        "map_special_folders": options.map_special_folders,
        "include": options.include,
        "exclude": options.exclude,
        "max_age_days": options.max_age_days,
        "max_size_mb": _per(options.max_message_bytes, MEGABYTE),
        "bandwidth_kbs": _per(options.bytes_per_second, KILOBYTE),
        "subscribe": options.subscribe,
    }
