"""Is what was shown a second factor, and the right one? allauth's forms, stricter."""

from __future__ import annotations

import json
from typing import Any

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from fido2.utils import websafe_decode

from accounts.entrance.failures import record_failure
from accounts.factors import passkeys
from accounts.services import factors as services
from audit.actions import Action
from purelymanage.core.addresses import refuse_control_characters

WRONG_PASSKEY = _("This passkey was not accepted. Try again, or sign in another way.")
REMOVED = _("You were removed from this panel. Ask an owner to let you in again.")
MAX_CODE = 32
MAX_NAME = 60
MALFORMED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    UnicodeError,
    ValueError,
)
"""What readers of WebAuthn answers raise for those that no browser sends."""


class CodeField(forms.CharField):
    """Digits from an app or from a list on paper."""

    def __init__(self, label: Any, **options: Any) -> None:
        attrs = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}
        widget = forms.TextInput(attrs=attrs)
        super().__init__(label=label, max_length=MAX_CODE, widget=widget, **options)


class OnceForm(forms.Form):
    """Takes a code of an app once within all the time that it is valid."""

    user: Any
    authenticator: Authenticator
    code = CodeField(
        _("Code"), help_text=_("From your authenticator app, or one of your recovery codes.")
    )

    def clean_code(self) -> str:
        code = str(super().clean_code())  # type: ignore[misc]  # allauth's form stands behind
        if self._is_used(code):
            check_rate_limit(self.user)  # it was cleared a moment ago
            self._emit_authentication_failed(self.authenticator)  # type: ignore[attr-defined]  # of that form
            raise get_adapter().validation_error("incorrect_code")
        if not self.user.is_active:
            raise ValidationError(REMOVED)
        return code

    def _is_used(self, code: str) -> bool:
        is_app = self.authenticator.type == Authenticator.Type.TOTP
        return is_app and not services.spend_code(self.authenticator, code)


class SecondStepForm(OnceForm, AuthenticateForm):  # type: ignore[misc]  # allauth ships no types
    """The second step of signing in."""


class ConfirmForm(OnceForm, ReauthenticateForm):  # type: ignore[misc]  # allauth ships no types
    """Who one is, once more."""


class SetUpAppForm(ActivateTOTPForm):  # type: ignore[misc]  # allauth ships no types
    code = CodeField(_("Code from the app"))


class CredentialField(forms.JSONField):
    """What the browser answered, as the script of the page sends it."""

    def __init__(self) -> None:
        wrong = {"required": WRONG_PASSKEY, "invalid": WRONG_PASSKEY}
        super().__init__(widget=forms.HiddenInput, error_messages=wrong)

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except RecursionError:
            raise ValidationError(WRONG_PASSKEY) from None


class PasskeyAnswer(forms.Form):
    """Refuses what no page of this panel has asked for, and puts on record who was refused."""

    credential = CredentialField()
    user: Any
    goes_on_record = True

    def clean_credential(self) -> Authenticator:
        try:
            return self._owner_checked()
        except (ValidationError, *MALFORMED) as error:
            if self.goes_on_record:
                self._put_on_record()
            raise _in_our_words(error) from None

    def _owner_checked(self) -> Authenticator:
        _refuse_foreign(self.cleaned_data["credential"])
        passkey: Authenticator = super().clean_credential()  # type: ignore[misc]  # allauth's form stands behind
        self.user = passkey.user
        if not self.user.is_active:
            raise ValidationError(REMOVED)
        return passkey

    def _put_on_record(self) -> None:
        record_failure(
            context.request,
            Action.FACTOR_FAILED,
            target=self.user.email if self.user else "",
            refused=str(_("The passkey was not accepted.")),
        )


class SignInPasskeyForm(PasskeyAnswer, LoginWebAuthnForm):  # type: ignore[misc]  # allauth ships no types
    """Signing in without a password."""


class SecondStepPasskeyForm(PasskeyAnswer, AuthenticateWebAuthnForm):  # type: ignore[misc]  # allauth ships no types
    """The second step of signing in."""


class ConfirmPasskeyForm(PasskeyAnswer, ReauthenticateWebAuthnForm):  # type: ignore[misc]  # allauth ships no types
    """Who one is, once more; its page puts on record how that went."""

    goes_on_record = False


class NameField(forms.CharField):
    """What a person calls a passkey."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            label=_("Name"),
            max_length=MAX_NAME,
            validators=[refuse_control_characters],
            widget=forms.TextInput(attrs={"autocomplete": "off"}),
            **options,
        )


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]  # allauth ships no types
    """Every passkey opens the panel without a password, so there is nothing to choose."""

    name = NameField(required=False, help_text=_("So that you know it again, such as “Phone”."))
    credential = CredentialField()
    passwordless = None

    def clean(self) -> dict[str, Any]:
        try:
            if "credential" in self.cleaned_data:
                _refuse_foreign(self.cleaned_data["credential"])
            cleaned: dict[str, Any] = super().clean()
        except (ValidationError, *MALFORMED) as error:
            raise _in_our_words(error) from None
        return cleaned


class RenamePasskeyForm(EditWebAuthnForm):  # type: ignore[misc]  # allauth ships no types
    name = NameField()

    def save(self) -> Authenticator:
        services.rename_passkey(passkey=self.instance, name=self.cleaned_data["name"])
        return self.instance


def _refuse_foreign(credential: Any) -> None:
    """Refuse what was signed for another page. Raises ValidationError, or one of MALFORMED."""
    signed = json.loads(websafe_decode(credential["response"]["clientDataJSON"]))
    if not passkeys.is_ours(signed["origin"]):
        raise ValidationError(WRONG_PASSKEY)


def _in_our_words(error: Exception) -> ValidationError:
    """What a person reads; too many attempts and a removal are told as they are."""
    if isinstance(error, ValidationError) and error.code != "incorrect_code":
        return error
    return ValidationError(WRONG_PASSKEY)
