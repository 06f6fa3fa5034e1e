"""New passwords: with what is on record of them and the end of the sessions, or not at all."""

from __future__ import annotations

from allauth.account.views import PasswordChangeView, PasswordResetFromKeyView
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpResponse

from accounts.entrance.failures import record_failure
from accounts.entrance.known_browsers import remember
from audit.actions import Action

WRONG_PASSWORD = "enter_current_password"  # noqa: S105  allauth's name of an error


class PasswordChange(PasswordChangeView):  # type: ignore[misc]  # allauth ships no types
    def form_valid(self, form: BaseForm) -> HttpResponse:
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
        return response

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        if form.has_error("oldpassword", code=WRONG_PASSWORD):
            record_failure(
                self.request,
                Action.IDENTITY_NOT_CONFIRMED,
                target=self.request.user.email,
                refused=" ".join(map(str, form.errors["oldpassword"])),
            )
        return super().form_invalid(form)  # type: ignore[no-any-return]  # allauth ships no types


class PasswordReset(PasswordResetFromKeyView):  # type: ignore[misc]  # allauth ships no types
    """The browser is known from then on, so that nobody's guessing keeps its person out."""

    def form_valid(self, form: BaseForm) -> HttpResponse:
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
        remember(response, email=self.reset_user.email)
        return response


password_change = PasswordChange.as_view()
password_reset = PasswordReset.as_view()
