"""Is what was typed well formed? allauth's forms in our words, and our own."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import (
    ChangePasswordForm,
    LoginForm,
    ReauthenticateForm,
    ResetPasswordForm,
    ResetPasswordKeyForm,
)
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.entrance.setup_code import is_setup_code
from accounts.models import User
from purelymanage.core.addresses import NO_ADDRESS, clean_address, refuse_control_characters
from purelymanage.core.roles import Role
from purelymanage.jobs.queue import enqueue

PASSWORD_HELP = _("At least 10 characters. A few unrelated words are easy to remember.")


def _plain(field: forms.Field, *, label: Any, help_text: Any = "", **attrs: str) -> None:
    """A field of allauth's with our label, without its placeholder and help."""
    field.label = label
    field.help_text = help_text
    field.widget.attrs.pop("placeholder", None)
    field.widget.attrs.update(attrs)


class SignInForm(LoginForm):  # type: ignore[misc]  # allauth ships no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields["login"], label=_("E-mail"), autocomplete="username")
        _plain(self.fields["password"], label=_("Password"))


class PasswordChangeForm(ChangePasswordForm):  # type: ignore[misc]  # allauth ships no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields["oldpassword"], label=_("Current password"))
        _plain(self.fields["password1"], label=_("New password"), help_text=PASSWORD_HELP)
        _plain(self.fields["password2"], label=_("New password, again"))


class ConfirmPasswordForm(ReauthenticateForm):  # type: ignore[misc]  # allauth ships no types
    """Somebody who is signed in shows once more who they are: no sign-in, nor counted as one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields["password"], label=_("Password"))

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        if not self.user.check_password(password):
            raise ValidationError(_("This is not your password."))
        return password


class NewPasswordForm(ResetPasswordKeyForm):  # type: ignore[misc]  # allauth ships no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields["password1"], label=_("New password"), help_text=PASSWORD_HELP)
        _plain(self.fields["password2"], label=_("New password, again"))


class PasswordResetForm(ResetPasswordForm):  # type: ignore[misc]  # allauth ships no types
    """Asks for the mail. A worker sends it, so that the answer is the same for any address."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields["email"], label=_("E-mail"), autocomplete="username")
        self.fields["email"].error_messages["invalid"] = NO_ADDRESS

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        person = next(iter(self.users), None)
        enqueue("accounts.tasks.send_password_reset", person.pk if person else 0)
        return str(self.cleaned_data["email"])


class NameField(forms.CharField):
    def __init__(self) -> None:
        super().__init__(
            label=_("Name"),
            max_length=120,
            validators=[refuse_control_characters],
            widget=forms.TextInput(attrs={"autocomplete": "name"}),
        )


class AddressField(forms.CharField):
    """An e-mail address, normalised as everywhere."""

    def __init__(self, **attrs: str) -> None:
        super().__init__(label=_("E-mail"), widget=forms.EmailInput(attrs=attrs))

    def clean(self, value: Any) -> str:
        return clean_address(super().clean(value))


class NewAccountForm(forms.Form):
    """Name and a password that is close to neither the name nor the address."""

    name = NameField()
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=4096,
        help_text=PASSWORD_HELP,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    @property
    def address(self) -> str:
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if password := cleaned.get("password"):
            person = User(name=cleaned.get("name", ""), email=self.address)
            try:
                validate_password(password, person)
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


class PersonForm(NewAccountForm):
    """An account whose address is typed as well."""

    email = AddressField(autocomplete="username")
    field_order = ["name", "email", "password"]

    @property
    def address(self) -> str:
        return str(self.cleaned_data.get("email", ""))


class AcceptForm(NewAccountForm):
    """The account of somebody who was invited at `address`."""

    def __init__(self, *args: Any, address: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invited_at = address

    @property
    def address(self) -> str:
        return self.invited_at


class SetupForm(PersonForm):
    """The first account. On a public address with the code from the start-up log."""

    code = forms.CharField(
        label=_("Set-up code"),
        max_length=40,
        help_text=_("The start-up log shows it: “Set up the panel at … with the code …”."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, asks_code: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if asks_code:
            self.order_fields(["code"])
        else:
            del self.fields["code"]

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        if not is_setup_code(code):
            raise ValidationError(_("This is not the code. Look at the newest start-up log."))
        return code


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])


class InvitationForm(RoleForm):
    """Whom an owner invites. The least role is chosen until they choose more."""

    name = NameField()
    email = AddressField(autocomplete="off")
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.VIEWER)
    field_order = ["name", "email", "role"]


class AccountForm(forms.Form):
    name = NameField()
