"""Is what was typed well formed?"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from domains.forms import OwnDomainField
from mailboxes.passwords import MAX_LENGTH, MIN_LENGTH
from purelymanage.core.addresses import (
    MAX_ADDRESS,
    MAX_LOCAL_PART,
    clean_address,
    clean_local_part,
    clean_phone,
    refuse_control_characters,
)
from purelymanage.purelymail.types import RecoveryMethod


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


def _password_reset_field() -> forms.BooleanField:
    return forms.BooleanField(
        label=_("Allow resetting the password"),
        help_text=_("Its owner can then set a new password by a recovery address or phone."),
        required=False,
    )


class AddressForm(forms.Form):
    """The two halves of an address on one of our domains."""

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
    domain = OwnDomainField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
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


class MailboxForm(AddressForm):
    """A new mailbox: its address, and its first password."""

    password = _password_field()
    send_welcome_email = forms.BooleanField(
        label=_("Send the welcome e-mail of PurelyMail"),
        help_text=_("It arrives in the new mailbox."),
        required=False,
    )
    enable_password_reset = _password_reset_field()


class PasswordForm(forms.Form):
    """A new password for an existing mailbox."""

    password = _password_field()
    enable_password_reset = _password_reset_field()


class RecoveryForm(forms.Form):
    """Where a person can reset the password. `existing_target` names the method to change."""

    existing_target = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)
    type = forms.ChoiceField(
        label=_("Kind"),
        choices=[("email", _("E-mail address")), ("phone", _("Phone number"))],
        widget=forms.RadioSelect,
        initial="email",
    )
    target = forms.CharField(
        label=_("Address or number"),
        max_length=MAX_ADDRESS,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    description = forms.CharField(
        label=_("Description"),
        help_text=_("Whose it is, such as private or secretary."),
        max_length=100,
        required=False,
        validators=[refuse_control_characters],
    )
    allow_mfa_reset = forms.BooleanField(
        label=_("May also switch off the second factor"),
        help_text=_("Who resets the password by this method then needs no second factor."),
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        target, kind = cleaned.get("target"), cleaned.get("type")
        if target and kind and target != cleaned.get("existing_target"):
            try:
                cleaned["target"] = (
                    clean_address(target) if kind == "email" else clean_phone(target)
                )
            except ValidationError as error:
                self.add_error("target", error)
        return cleaned

    @property
    def method(self) -> RecoveryMethod:
        """What was typed, as PurelyMail's client takes it."""
        cleaned = self.cleaned_data
        return RecoveryMethod(
            type=cleaned["type"],
            target=cleaned["target"],
            description=cleaned["description"],
            allow_mfa_reset=cleaned["allow_mfa_reset"],
        )


class AppPasswordForm(forms.Form):
    """A new app password."""

    name = forms.CharField(
        label=_("Name"),
        help_text=_("The program or device it is for, such as Thunderbird on the laptop."),
        max_length=100,
        validators=[refuse_control_characters],
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )


class RevokeForm(forms.Form):
    """An app password to end. It is never sent back to the browser."""

    app_password = forms.CharField(
        label=_("App password"),
        max_length=MAX_LENGTH,
        validators=[refuse_control_characters],
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
