"""How django-allauth behaves here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from accounts.entrance.known_browsers import known_as, remember
from accounts.sessions.reauthentication import recently_authenticated
from purelymanage.core.middleware import client_address

if TYPE_CHECKING:
    from accounts.models import User

LOCAL_SOCKET = "127.0.0.1"
BEGUN_WITH = "begun_with"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _(
            "This e-mail and password do not belong together. Check both, or set a new password."
        ),
        "too_many_login_attempts": _(
            "Too many attempts failed. Wait five minutes, then try again."
        ),
        "enter_current_password": _("This is not your current password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up by themselves; an owner adds people."""
        return False

    def is_safe_url(self, url: str) -> bool:
        """After signing in one stays on this site, whatever `next` says."""
        return url_has_allowed_host_and_scheme(
            url, allowed_hosts={self.request.get_host()}, require_https=self.request.is_secure()
        )

    def is_ajax(self, request: HttpRequest) -> bool:
        """Only what a passkey is to sign is fetched as JSON; forms are answered with pages."""
        return request.method == "GET" and bool(super().is_ajax(request))

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that limits and sessions go by, read as everywhere else."""
        return client_address(request) or LOCAL_SOCKET

    def login_key(self, request: HttpRequest, *, email: str) -> str:
        """What wrong passwords are counted by: the account, or the browser if it is known there.

        allauth's own key has the Host header in it, which whoever guesses is free to vary.
        """
        return known_as(request, email=email) or email.strip().lower()

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        return self.login_key(request, email=credentials.get("email", ""))

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """The first step of signing in is done: notes which password was in force."""
        request.session[BEGUN_WITH] = user.get_session_auth_hash()
        refused: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return refused

    def login(self, request: HttpRequest, user: User) -> None:
        """Signs in, unless a new password was set since the first step: it ended that as well."""
        begun_with = request.session.pop(BEGUN_WITH, "")
        if not constant_time_compare(begun_with, user.get_session_auth_hash()):
            messages.error(request, _("Your password was changed meanwhile. Sign in again."))
            raise ImmediateHttpResponse(redirect("account_login"))
        super().login(request, user)

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """All steps of signing in are done: the browser is known from now on."""
        response: HttpResponse = super().post_login(request, user, **kwargs)
        remember(response, email=user.email)
        return response

    def is_reauthentication_required(self, *, app: str, **_: Any) -> bool:
        """What allauth asks before its own dangerous pages; the same for the whole panel."""
        return not recently_authenticated(self.request)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Back to the page that led there."""
        return reverse("accounts:settings")
