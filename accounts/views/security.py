"""One's own second factors: the page that lists them, and allauth's pages where ours differ."""

from __future__ import annotations

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal import flows as recovery_codes
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.internal import auth as webauthn
from allauth.mfa.webauthn.views import AddWebAuthnView, EditWebAuthnView, RemoveWebAuthnView
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.entrance.pages import View, entrance
from accounts.factors.receivers import on_codes_made
from accounts.factors.selectors import factors_of
from accounts.services import factors as services
from accounts.sessions.reauthentication import reauthentication_required
from purelymanage.core.errors import RefusedError
from purelymanage.core.http import Request, go_to, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import viewer_required

PAGE = "mfa_index"
Type = Authenticator.Type


def changing_factors(view: View[Any]) -> View[Any]:
    """A page of allauth's that changes factors: asks again who one is, and is kept nowhere."""
    limited = entrance(never_cache(view), "change_factor")
    return viewer_required(reauthentication_required(limited))


@viewer_required
@require_GET
def security(request: Request) -> HttpResponse:
    """What one has beside the password."""
    context = {
        "factors": factors_of(request.user),
        "grace_days": settings.SECOND_FACTOR_GRACE_DAYS,
    }
    return render_page(request, "accounts/security.html", context)


@viewer_required
@reauthentication_required
@rate_limited("change_factor")
@never_cache
@require_http_methods(["GET", "POST"])
def codes(request: Request) -> HttpResponse:
    """The recovery codes that came with the first factor: shown once, to whoever asks by POST."""
    if request.method == "POST":
        return _codes_page(request, services.show_codes(person=request.user))
    factors = factors_of(request.user)
    if not factors.codes_wait:
        return go_to(request, reverse(PAGE))
    return render_page(request, "mfa/recovery_codes/index.html", {"factors": factors})


@viewer_required
@reauthentication_required
@rate_limited("change_factor")
@never_cache
@require_http_methods(["GET", "POST"])
def codes_make(request: Request) -> HttpResponse:
    """New recovery codes in place of the old ones, in the answer to the POST that made them."""
    has_factor = recovery_codes.can_generate_recovery_codes(request.user)
    if request.method == "POST":
        if not has_factor:
            raise RefusedError(_("Recovery codes come with an app or a passkey. Set up one first."))
        with transaction.atomic():
            services.make_codes(person=request.user)
            on_codes_made(request, request.user)
        return _codes_page(request, services.show_codes(person=request.user))
    if not has_factor:
        return go_to(request, reverse(PAGE))
    factors = factors_of(request.user)
    return render_page(request, "mfa/recovery_codes/generate.html", {"factors": factors})


def _codes_page(request: Request, shown: list[str]) -> HttpResponse:
    context = {"codes": shown, "file": services.as_file(shown, person=request.user)}
    return render_page(request, "mfa/recovery_codes/shown.html", context)


class SetUpAppView(ActivateTOTPView):  # type: ignore[misc]  # allauth ships no types
    """Also spends the code that proves the app works: whoever saw it cannot sign in with it."""

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            with transaction.atomic():
                response: HttpResponse = super().form_valid(form)
                app = Authenticator.objects.get(user=self.request.user, type=Type.TOTP)
                services.spend_code(app, form.cleaned_data["code"])
        except IntegrityError:  # a second click, whose first one has set it up
            return redirect(PAGE)
        return response


class AddPasskeyView(AddWebAuthnView):  # type: ignore[misc]  # allauth ships no types
    """Asks for a passkey that knows its person and checks them, so that it opens alone."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        options = webauthn.begin_registration(self.request.user, passwordless=True)
        return {**context, "js_data": {"creation_options": options}}


class RemovePasskeyView(RemoveWebAuthnView):  # type: ignore[misc]  # allauth ships no types
    """Keeps the last factor where one is demanded, which allauth asks of apps alone."""

    success_url = reverse_lazy(PAGE)

    def form_valid(self, form: Any) -> HttpResponse:
        adapter = get_adapter()
        if not adapter.can_delete_authenticator(self.object):
            form.add_error(None, adapter.validation_error("cannot_delete_authenticator"))
            return self.form_invalid(form)  # type: ignore[no-any-return]  # allauth ships no types
        return super().form_valid(form)  # type: ignore[no-any-return]  # allauth ships no types


class SecondStepView(AuthenticateView):  # type: ignore[misc]  # allauth ships no types
    """Offers what the person has; `form` is the one that was sent, which decides the status."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        person = self.stage.login.user
        has = set(Authenticator.objects.filter(user=person).values_list("type", flat=True))
        return {
            **context,
            "form": self.form or self.auth_form,
            "code_form": self.auth_form,
            "has_app": Type.TOTP in has,
            "has_passkey": Type.WEBAUTHN in has,
            "has_codes": Type.RECOVERY_CODES in has,
        }


second_step = entrance(SecondStepView.as_view(), "sign_in")
set_up_app = changing_factors(SetUpAppView.as_view())
turn_off_app = changing_factors(DeactivateTOTPView.as_view())
add_passkey = changing_factors(AddPasskeyView.as_view())
rename_passkey = changing_factors(EditWebAuthnView.as_view(success_url=reverse_lazy(PAGE)))
remove_passkey = changing_factors(RemovePasskeyView.as_view())
