"""Who is led elsewhere first: to confirm who they are, or to set up a second factor."""

from __future__ import annotations

from collections.abc import Callable

from allauth.core.exceptions import ReauthenticationRequired
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from accounts.factors.policy import due_at
from accounts.sessions.reauthentication import ask_again
from purelymanage.core.http import go_to

GetResponse = Callable[[HttpRequest], HttpResponse]
OPEN_WITHOUT_FACTOR = {"mfa_index", "account_reauthenticate", "account_logout"}
"""And whatever is called mfa_…: setting up a factor, and confirming by one."""


class ConfirmationMiddleware:
    """Has django-allauth's own pages ask again in the way all of the panel does."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, ReauthenticationRequired) and request.user.is_authenticated:
            return ask_again(request)
        return None


class SecondFactorMiddleware:
    """Where owners demand a second factor: says until when, and then opens only the way to one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponse | None:
        due = due_at(request.user)
        if due is None:
            return None
        is_overdue = due <= timezone.now()
        request.second_factor_due = due  # type: ignore[attr-defined]  # read by the banner
        request.second_factor_overdue = is_overdue  # type: ignore[attr-defined]
        if not is_overdue or _leads_to_factor(request):
            return None
        return go_to(request, reverse("mfa_index"))


def _leads_to_factor(request: HttpRequest) -> bool:
    name = request.resolver_match.view_name if request.resolver_match else ""
    return name in OPEN_WITHOUT_FACTOR or name.startswith("mfa_")
