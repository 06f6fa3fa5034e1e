"""The pages on which somebody confirms who they are: by password, by code or by passkey.

django-allauth checks what was shown; ours are the way on, the record and the words.
"""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.views import ReauthenticateView
from allauth.mfa.base.views import ReauthenticateView as CodeView
from allauth.mfa.webauthn.views import ReauthenticateWebAuthnView as PasskeyView
from django import forms
from django.http import HttpResponse, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from accounts.entrance.failures import record_failure
from accounts.forms import ConfirmPasswordForm
from accounts.sessions.reauthentication import do_kept, is_form_kept
from audit.actions import Action
from audit.services import record
from purelymanage.core.http import Request

ALTERNATIVES = {
    "reauthenticate": (_("Use your password"), "lock"),
    "mfa_reauthenticate": (_("Use a code"), "smartphone"),
    "mfa_reauthenticate:webauthn": (_("Use a passkey"), "fingerprint-pattern"),
}


class Confirming:
    """What the three pages share."""

    request: Request
    means: ClassVar[str]
    """What was shown, as the audit log says it."""

    def form_valid(self, form: forms.Form) -> HttpResponseBase:
        page = self.get_success_url()  # type: ignore[attr-defined]  # of allauth's view
        answer: HttpResponse = super().form_valid(form)  # type: ignore[misc]  # of allauth's view
        record(Action.IDENTITY_CONFIRMED, target=self.request.user.email, after={"by": self.means})
        return do_kept(self.request, page) or answer

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        reasons = " ".join(str(reason) for errors in form.errors.values() for reason in errors)
        record_failure(
            self.request,
            Action.IDENTITY_NOT_CONFIRMED,
            target=self.request.user.email,
            refused=reasons,
        )
        context = self.get_context_data(form=form)
        return self.render_to_response(context)  # type: ignore[attr-defined,no-any-return]  # of allauth's view

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]  # of allauth's view
        for alternative in context["reauthentication_alternatives"]:
            words, icon = ALTERNATIVES[alternative["id"]]
            alternative |= {"words": words, "icon": icon}
        page = self.get_success_url()  # type: ignore[attr-defined]  # of allauth's view
        return context | kwargs | {"is_form_kept": is_form_kept(self.request, page), "page": page}


class ConfirmByPassword(Confirming, ReauthenticateView):  # type: ignore[misc]  # allauth ships no types
    means = "password"

    def get_form_class(self) -> type[forms.Form]:
        return ConfirmPasswordForm


class ConfirmByCode(Confirming, CodeView):  # type: ignore[misc]  # allauth ships no types
    means = "code"


class ConfirmByPasskey(Confirming, PasskeyView):  # type: ignore[misc]  # allauth ships no types
    means = "passkey"


by_password = ConfirmByPassword.as_view()
by_code = ConfirmByCode.as_view()
by_passkey = ConfirmByPasskey.as_view()
