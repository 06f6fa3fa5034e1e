"""New passwords: with what is on record of them and the end of the sessions, or not at all."""

from __future__ import annotations

from allauth.account.views import PasswordChangeView, PasswordResetFromKeyView
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpResponse


class PasswordChange(PasswordChangeView):  # type: ignore[misc]  # allauth ships no types
    def form_valid(self, form: BaseForm) -> HttpResponse:
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
        return response


class PasswordReset(PasswordResetFromKeyView):  # type: ignore[misc]  # allauth ships no types
    def form_valid(self, form: BaseForm) -> HttpResponse:
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
        return response


password_change = PasswordChange.as_view()
password_reset = PasswordReset.as_view()
