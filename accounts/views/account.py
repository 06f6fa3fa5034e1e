"""One's own account."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.forms import AccountForm
from accounts.services import people as services
from purelymanage.core.http import Request, go_to, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import viewer_required


@viewer_required
@rate_limited("write")
@require_http_methods(["GET", "POST"])
def account(request: Request) -> HttpResponse:
    """One's own name. The role is an owner's to change; another e-mail is another account."""
    data = request.POST if request.method == "POST" else {"name": request.user.name}
    form = AccountForm(data)
    if request.method == "POST" and form.is_valid():
        services.change_name(person=request.user, name=form.cleaned_data["name"])
        messages.success(request, _("Name saved."))
        return go_to(request, reverse("accounts:settings"))
    return render_page(
        request, "accounts/account.html", {"form": form}, status=422 if form.errors else 200
    )
