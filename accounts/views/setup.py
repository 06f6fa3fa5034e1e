"""The set-up page: makes the owner, and is gone."""

from __future__ import annotations

from allauth.account.utils import perform_login
from allauth.core import ratelimit
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.forms import SetupForm
from accounts.models import User
from accounts.services import people as services
from accounts.setup_code import needs_code
from purelymanage.core.http import render_page

WAIT_SECONDS = 15 * 60


@never_cache
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest) -> HttpResponseBase:
    """Makes the owner. Gone once there is anybody."""
    if User.objects.exists():
        raise Http404
    asks_code = needs_code(request)
    if asks_code and not ratelimit.consume(request, action="setup_code", dry_run=True):
        return _too_many(request)
    form = SetupForm(request.POST if request.method == "POST" else None, asks_code=asks_code)
    if form.is_valid():
        data = form.cleaned_data
        owner = services.create_first_owner(
            email=data["email"], name=data["name"], password=data["password"]
        )
        return perform_login(request, owner, redirect_url=reverse("dashboard:home"))  # type: ignore[no-any-return]  # allauth ships no types
    if form.code_is_wrong:
        ratelimit.consume(request, action="setup_code")
    return render_page(
        request, "accounts/setup.html", {"form": form}, status=422 if form.errors else 200
    )


def _too_many(request: HttpRequest) -> HttpResponse:
    response = render(request, "429.html", status=429)
    response["Retry-After"] = str(WAIT_SECONDS)
    return response
