"""Many migrations at once: their file, and what they share."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from mailboxes.batches.forms import UploadForm
from migrations_app.engines.choice import LABELS
from migrations_app.forms.fields import MomentField, TextField
from migrations_app.forms.options import OptionsForm
from migrations_app.models import Server
from migrations_app.services.jobs import MAX_NAME
from purelymanage.core.addresses import CONTROL

ENGINES = (("", _("As the panel is set")), *LABELS.items())


class ServerField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not subscriptable at run time
    """One of the servers there are."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            queryset=Server.objects.all(),
            empty_label=_("Choose a server"),
            error_messages={
                "required": _("Choose a server."),
                "invalid_choice": _("This server is gone. Choose another."),
            },
            **options,
        )


class BatchForm(OptionsForm, UploadForm):
    """A table of addresses and passwords, and what its migrations share."""

    name = TextField(label=_("Name"), max_length=MAX_NAME, required=False)
    source_server = ServerField(label=_("Source server"))
    destination_server = ServerField(label=_("Destination server"))
    uses_app_password = forms.BooleanField(
        label=_("Use temporary app passwords at the destination"), required=False
    )
    dry_run = forms.BooleanField(label=_("Dry run"), required=False, initial=True)
    is_paused = forms.BooleanField(label=_("Import paused"), required=False)
    start_at = MomentField(label=_("Start at"), required=False)
    engine_wanted = forms.ChoiceField(label=_("Engine"), choices=ENGINES, required=False)

    OPTIONS = (*OptionsForm.OPTIONS, "start_at", "engine_wanted")

    @property
    def opens_options(self) -> bool:
        """Whether the options have to be seen, because one is wrong."""
        return any(name in self.errors for name in self.OPTIONS)

    def values(self) -> dict[str, Any]:
        """What `preview_batch` takes."""
        shared = (
            "source_server",
            "destination_server",
            "uses_app_password",
            "dry_run",
            "is_paused",
            "start_at",
            "engine_wanted",
        )
        return {
            "content": self.content,
            "name": self.cleaned_data["name"] or self._file_name(),
            "options": self.options(),
            **{name: self.cleaned_data[name] for name in shared},
        }

    def _file_name(self) -> str:
        """What a batch without a name is called."""
        file = self.cleaned_data["file"]
        stem = CONTROL.sub(" ", PurePath(file.name).stem).strip() if file else ""
        return stem[:MAX_NAME] or str(_("Pasted list"))
