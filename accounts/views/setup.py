"""The set-up page: makes the owner, and is gone."""

from __future__ import annotations

from allauth.account.utils import perform_login
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.entrance.setup_code import needs_code
from accounts.forms import SetupForm
from accounts.models import User
from accounts.services import people as services
from purelymanage.core.http import render_page
from purelymanage.core.limits import rate_limited


@never_cache
@rate_limited("setup")
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest) -> HttpResponseBase:
    """Makes the owner. Gone once there is anybody."""
    if User.objects.exists():
        raise Http404
    asks_code = needs_code(request)
    form = SetupForm(request.POST if request.method == "POST" else None, asks_code=asks_code)
    if form.is_valid():
        data = form.cleaned_data
        owner = services.create_first_owner(
            email=data["email"], name=data["name"], password=data["password"]
        )
        return perform_login(request, owner, redirect_url=reverse("dashboard:home"))  # type: ignore[no-any-return]  # allauth ships no types
    return render_page(
        request, "accounts/setup.html", {"form": form}, status=422 if form.errors else 200
    )
