"""Is what was typed well formed?"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from domains.models import Domain
from mailboxes.passwords import MAX_LENGTH, MIN_LENGTH
from purelymanage.core.addresses import (
    MAX_ADDRESS,
    MAX_LOCAL_PART,
    clean_local_part,
    refuse_control_characters,
)


def _password_field() -> forms.CharField:
    """A new password; what was typed comes back with an error, in that one answer."""
    return forms.CharField(
        label=_("Password"),
        min_length=MIN_LENGTH,
        max_length=MAX_LENGTH,
        strip=False,
        validators=[refuse_control_characters],
        widget=forms.PasswordInput(
            render_value=True, attrs={"autocomplete": "new-password", "spellcheck": "false"}
        ),
        error_messages={
            "min_length": _("Use at least %(limit_value)d characters."),
            "max_length": _("Use at most %(limit_value)d characters."),
        },
    )


class MailboxForm(forms.Form):
    """A new mailbox: the two halves of its address, and its first password."""

    local_part = forms.CharField(
        label=_("Local part"),
        max_length=MAX_LOCAL_PART,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
        error_messages={"max_length": _("The local part has at most 64 characters.")},
    )
    domain = forms.ModelChoiceField(
        label=_("Domain"),
        queryset=Domain.objects.none(),
        to_field_name="name",
        empty_label=None,
        error_messages={"invalid_choice": _("This is not one of your domains. Choose another.")},
    )
    password = _password_field()
    send_welcome_email = forms.BooleanField(
        label=_("Send the welcome e-mail of PurelyMail"),
        help_text=_("It arrives in the new mailbox."),
        required=False,
    )
    enable_password_reset = forms.BooleanField(
        label=_("Allow resetting the password"),
        help_text=_("Its owner can then set a new password by a recovery address or phone."),
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["domain"].queryset = Domain.objects.ours()  # type: ignore[attr-defined]  # a ModelChoiceField has one
        self.fields["local_part"].widget.attrs["autofocus"] = not self.is_bound

    def clean_local_part(self) -> str:
        return clean_local_part(self.cleaned_data["local_part"])

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if "local_part" in cleaned and "domain" in cleaned:
            address = f"{cleaned['local_part']}@{cleaned['domain']}"
            if len(address) > MAX_ADDRESS:
                self.add_error("local_part", _("An address has at most 254 characters."))
        return cleaned


class PasswordForm(forms.Form):
    """A new password for an existing mailbox."""

    password = _password_field()
