"""One job: from where, to where, and how."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from migrations_app.engines.plan import Options
from migrations_app.forms.fields import LoginNameField, SecretField, TextField
from migrations_app.forms.options import OptionsForm, initial_options
from migrations_app.models import MigrationJob, Server
from migrations_app.services.jobs import MAX_NAME, End


class JobForm(OptionsForm):
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
    uses_app_password = forms.BooleanField(
        label=_("Use a temporary app password at the destination"), required=False
    )
    dry_run = forms.BooleanField(label=_("Dry run"), required=False, initial=True)

    SIDES = ("source", "destination")

    def __init__(self, data: Any = None, *, job: MigrationJob | None = None) -> None:
        super().__init__(data, initial=_initial(job) if job else None)
        self.job = job
        for side in self.SIDES:
            self._offer_servers(side)
            if job and getattr(job, f"{side}_password"):
                self.fields[f"{side}_password"].required = False
        if self["uses_app_password"].value():
            self.fields["destination_password"].required = False

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

    @property
    def opens_options(self) -> bool:
        """Whether the options have to be seen: one is wrong, or one is set."""
        return any(
            name in self.errors
            or (self.job and (self[name].value() or None) != (self.fields[name].initial or None))
            for name in self.OPTIONS
        )

    @property
    def sides_with_password(self) -> tuple[str, ...]:
        """Where a login can be tried: a temporary password is made by a run alone."""
        return self.SIDES[:1] if self.cleaned_data["uses_app_password"] else self.SIDES

    def values(self) -> dict[str, Any]:
        """What `create_job` and `update_job` take."""
        data = self.cleaned_data
        return {
            "name": data["name"],
            "source": self.end("source"),
            "destination": self.end("destination"),
            "uses_app_password": data["uses_app_password"],
            "dry_run": data["dry_run"],
            "options": self.options(),
        }

    def end(self, side: str) -> End:
        """One side, as typed."""
        return End(
            server=self.cleaned_data[f"{side}_server"],
            address=self.cleaned_data[f"{side}_address"],
            password=self.cleaned_data[f"{side}_password"],
        )


def _initial(job: MigrationJob) -> dict[str, Any]:
    return {
        "name": job.name,
        "source_server": job.source_server_id,
        "source_address": job.source_address,
        "destination_server": job.destination_server_id,
        "destination_address": job.destination_address,
        "uses_app_password": job.uses_app_password,
        "dry_run": job.dry_run,
        **initial_options(Options.from_json(job.options)),
    }
