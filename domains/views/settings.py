"""The settings of a domain: two switches that act at once."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from domains import services
from domains.dependants import with_symbols
from domains.forms import SettingForm
from domains.models import Domain
from domains.views.frame import domain_or_404, frame_of
from purelymanage.core.addresses import shown_domain
from purelymanage.core.errors import PurelyManageError
from purelymanage.core.http import Request, go_to, render_page, wants_fragment
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import RoleMissing, viewer_required
from purelymanage.core.roles import Role

LABELS = {
    "allow_account_reset": gettext_lazy("Account reset by DNS"),
    "symbolic_subaddressing": gettext_lazy("Symbolic subaddressing"),
}


@viewer_required
@rate_limited("ask")
@require_http_methods(["GET", "POST"])
def domain_settings(request: Request, pk: int) -> HttpResponse:
    if request.method == "POST" and not request.user.is_admin:
        raise RoleMissing(Role.ADMIN)
    domain = domain_or_404(pk)
    error = ""
    if request.method == "POST":
        error = _change(request, domain)
        if not error and not wants_fragment(request):
            return go_to(request, reverse("domains:settings", args=[pk]))
    context = frame_of(domain, "settings") | {"error": error, "symbolic": with_symbols(domain)}
    template = "domains/domain_settings.html"
    return render_page(request, template, context, fragment="panel", status=422 if error else 200)


def _change(request: Request, domain: Domain) -> str:
    """Why it could not be changed; empty if it was."""
    form = SettingForm(request.POST)
    if not form.is_valid():
        raise BadRequest
    setting, is_on = form.cleaned_data["setting"], form.cleaned_data["is_on"]
    try:
        services.change_settings(domain=domain, **{setting: is_on})
    except PurelyManageError as error:
        return error.message
    state = (
        _("%(setting)s is on for %(domain)s.") if is_on else _("%(setting)s is off for %(domain)s.")
    )
    words = {"setting": LABELS[setting], "domain": shown_domain(domain.name)}
    messages.success(request, state % words)
    return ""
