"""Servers, and a login to try at one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from migrations_app.forms.fields import LoginNameField, SecretField, TextField, WholeNumberField
from migrations_app.imap.hosts import MAX_HOST, clean_host
from migrations_app.imap.presets import PRESETS, Preset
from migrations_app.models import Security, Server
from migrations_app.services.jobs import MAX_NAME


class ServerForm(forms.Form):
    """A server: a name of our own, and where it is."""

    name = TextField(label=_("Name"), max_length=MAX_NAME)
    host = TextField(
        label=_("Host"),
        max_length=MAX_HOST + 2,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    port = WholeNumberField(label=_("Port"), most=65535, initial=993)
    security = forms.ChoiceField(
        label=_("Security"),
        choices=Security.choices,
        initial=Security.TLS,
        error_messages={"required": _("Choose one."), "invalid_choice": _("Choose one.")},
    )

    def __init__(
        self,
        data: Any = None,
        *,
        server: Server | None = None,
        preset: Preset | None = None,
    ) -> None:
        given = server or preset
        initial = {name: getattr(given, name) for name in self.base_fields} if given else None
        super().__init__(data, initial=initial)

    def clean_host(self) -> str:
        return clean_host(self.cleaned_data["host"])


class PresetForm(forms.Form):
    """Which provider to fill the server form for."""

    preset = forms.ChoiceField(
        label=_("Provider"),
        required=False,
        choices=[
            ("", _("Another server")),
            *((preset.key, preset.name) for preset in PRESETS.values()),
        ],
    )


class LoginForm(forms.Form):
    """A login to try at a server; nothing of it is stored."""

    address = LoginNameField(label=_("Address"))
    password = SecretField(label=_("Password"))
