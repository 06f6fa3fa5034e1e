"""Adding a domain: publish the ownership record, we look, PurelyMail adds it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import replace_url

from domains import services
from domains.advice import explain
from domains.dns import resolvers_described
from domains.expected import NAMES
from domains.forms import DomainForm
from domains.models import Domain, RecordKey, RecordState
from domains.records import Finding
from domains.views.frame import crumbs
from purelymanage.core.addresses import MAX_ADDRESS, shown_domain
from purelymanage.core.http import Request, errors_on, go_to, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required


@admin_required
@rate_limited("ask")
@require_http_methods(["GET", "POST"])
def domain_add(request: Request) -> HttpResponse:
    if request.method == "GET":
        return _page(request, DomainForm(initial={"name": request.GET.get("name", "")}))
    form = DomainForm(request.POST)
    name, finding = "", None
    if form.is_valid():
        name = form.cleaned_data["name"]
        with errors_on(form):
            finding = services.look_for_ownership(name=name)
            if _may_be_added(finding, anyway="anyway" in request.POST):
                domain = services.add_domain(name=name)
                messages.success(request, _added(domain))
                return go_to(request, reverse("domains:detail", args=[domain.pk]))
    return _page(request, form, name=name, finding=finding)


def _may_be_added(finding: Finding, *, anyway: bool) -> bool:
    """Without an answer we know nothing, and PurelyMail looks itself: then the admin decides."""
    silent = finding.state == RecordState.NO_ANSWER
    return finding.state == RecordState.OK or (silent and anyway)


@admin_required
@rate_limited("ask")
@require_POST
def ownership_read(request: Request) -> HttpResponse:
    """Ask PurelyMail for the ownership code, where it was never read."""
    services.read_ownership_code()
    return go_to(request, _url_with(request.POST.get("name", "")))


def _page(
    request: Request, form: DomainForm, *, name: str = "", finding: Finding | None = None
) -> HttpResponse:
    """The stepper; the name stays in its address, so that one can come back to it."""
    here = _url_with(form["name"].value() or "")
    context: dict[str, Any] = {
        "crumbs": crumbs(),
        "form": form,
        "here": here,
        "name": name,
        "ownership_code": services.ownership_code(),
        "record_name": NAMES[RecordKey.OWNERSHIP],
        "finding": finding,
        "advice": explain(finding.advice, finding.found) if finding else "",
        "resolvers": resolvers_described(),
        "known": Domain.objects.ours().filter(name=name).first() if name else None,
    }
    status = 422 if form.is_bound else 200
    template = "domains/domain_add.html"
    response = render_page(request, template, context, fragment="steps", status=status)
    if form.is_bound and request.htmx:
        replace_url(response, here)
    return response


def _url_with(name: str) -> str:
    url = reverse("domains:add")
    return f"{url}?{urlencode({'name': name[:MAX_ADDRESS]})}" if name else url


def _added(domain: Domain) -> str:
    return _("%(domain)s is added. Its DNS is being looked at.") % {
        "domain": shown_domain(domain.name)
    }
