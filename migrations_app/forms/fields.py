"""What is typed into several forms. Passwords are taken, never given back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from migrations_app.services.jobs import MAX_PASSWORD
from purelymanage.core.addresses import CONTROL, MAX_ADDRESS, refuse_control_characters

MAX_FOLDERS = 500
MAX_FOLDER = 1000


class TextField(forms.CharField):
    """One line; control characters are refused before blanks are taken off."""

    def __init__(self, **options: Any) -> None:
        messages: dict[str, Any] = {
            "required": _("Fill this in."),
            "max_length": _("Use at most %(limit_value)d characters."),
        }
        super().__init__(error_messages=messages, **options)

    def to_python(self, value: Any) -> str:
        refuse_control_characters(str(value or "").strip(" "))
        return super().to_python(value) or ""


class SecretField(TextField):
    """A password of somebody's mailbox, kept to the letter; never sent back to the browser."""

    def __init__(self, **options: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"})
        super().__init__(max_length=MAX_PASSWORD, strip=False, widget=widget, **options)

    def to_python(self, value: Any) -> str:
        text = str(value or "")
        if CONTROL.search(text):
            raise ValidationError(
                _("The password holds a line break or control character. Paste it without.")
            )
        return text


class LoginNameField(TextField):
    """What a server calls the user: often an address, but not always."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        )
        super().__init__(max_length=MAX_ADDRESS, widget=widget, **options)


class WholeNumberField(forms.IntegerField):
    """A number with bounds, and sentences for what is outside of them."""

    def __init__(self, *, most: int, least: int = 1, **options: Any) -> None:
        bounds = {"least": least, "most": f"{most:,}"}
        sentence = _("Enter a whole number from %(least)d to %(most)s.") % bounds
        messages: dict[str, Any] = {
            "invalid": sentence,
            "min_value": sentence,
            "max_value": sentence,
            "required": _("Fill this in."),
        }
        super().__init__(min_value=least, max_value=most, error_messages=messages, **options)


class FoldersField(forms.CharField):
    """Folder names, one per line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 3}), required=False, **options)

    def to_python(self, value: Any) -> Any:
        lines = [line.strip() for line in str(value or "").splitlines()]
        folders = tuple(dict.fromkeys(line for line in lines if line))
        if len(folders) > MAX_FOLDERS or any(len(folder) > MAX_FOLDER for folder in folders):
            raise ValidationError(
                _("Name at most %(count)d folders, each with at most %(length)d characters.")
                % {"count": MAX_FOLDERS, "length": MAX_FOLDER}
            )
        for folder in folders:
            refuse_control_characters(folder)
        return folders

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value


class MomentField(forms.DateTimeField):
    """A date and time ahead, by the panel's clock, as browsers let people choose it."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        messages: dict[str, Any] = {
            "required": _("Fill this in."),
            "invalid": _("Enter a date and a time, like 2030-01-31 22:00."),
        }
        super().__init__(widget=widget, error_messages=messages, **options)

    def clean(self, value: Any) -> datetime | None:
        moment: datetime | None = super().clean(value)
        if moment and moment <= timezone.now():
            raise ValidationError(_("This moment is over. Choose one ahead."))
        return moment
