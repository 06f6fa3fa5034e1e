"""One domain: what DNS says of its records, what of it is accepted, what changed."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from domains import rechecks, selectors
from domains.checks import record_views
from domains.dns import resolvers_described
from domains.forms import DeviationForm
from domains.lookups import resolver_outage
from domains.models import Domain, RecordKey
from domains.services import accept_deviation, withdraw_deviation
from domains.views.frame import crumbs, domain_or_404, frame_of
from purelymanage.core.downloads import attachment
from purelymanage.core.http import Request, errors_on, go_to, render_page, wants_fragment
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required, viewer_required

DETAIL = "domains/domain_detail.html"


@viewer_required
@require_GET
def domain_detail(request: Request, pk: int) -> HttpResponse:
    """While a recheck is awaited the page asks for itself, and says how that ended."""
    domain = domain_or_404(pk, with_dns=True)
    since = _moment(request.GET.get("since", ""))
    dns = selectors.dns_page(domain, since=since)
    if wants_fragment(request) and since:
        is_news = dns.seen != request.GET.get("seen") or not dns.is_checking
        if "held" in request.GET or not is_news:
            return HttpResponse(status=204)  # the page stays as it is, and asks again
        if not dns.is_checking:
            _tell_end(request, domain, dns)
    return _page(request, domain, dns)


@admin_required
@rate_limited("ask")
@require_POST
def domain_recheck(request: Request, pk: int) -> HttpResponse:
    """Our own lookup and PurelyMail's recheck, both by the workers."""
    domain = domain_or_404(pk)
    since = timezone.now()
    rechecks.want_recheck([domain])
    if not wants_fragment(request):
        messages.info(request, _("The recheck is queued. Reload this page in a moment."))
        return go_to(request, reverse("domains:detail", args=[pk]))
    domain = domain_or_404(pk, with_dns=True)
    return _page(request, domain, selectors.dns_page(domain, since=since))


def _page(request: Request, domain: Domain, dns: selectors.DnsPage) -> HttpResponse:
    context = frame_of(domain, "detail") | {
        "dns": dns,
        "here": reverse("domains:detail", args=[domain.pk]),
        "changes": selectors.recent_changes(domain),
        "resolvers": resolvers_described(),
        "outage_since": resolver_outage() if domain.unanswered_since else None,
    }
    return render_page(request, DETAIL, context, fragment="page")


def _tell_end(request: Request, domain: Domain, dns: selectors.DnsPage) -> None:
    if dns.is_late:
        messages.warning(
            request,
            _(
                "The recheck has not come yet. It stays queued; the background workers may be "
                "busy or not running."
            ),
        )
    elif domain.recheck_error:
        messages.error(request, domain.recheck_error)
    else:
        tell = messages.success if dns.summary.tone == "ok" else messages.info
        tell(request, _("Checked: %(result)s.") % {"result": dns.summary.word})


def _moment(text: str) -> datetime | None:
    """When the page began to wait, as it said itself; nonsense is nothing."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and timezone.is_aware(moment) else None


@viewer_required
@require_GET
def domain_zone(request: Request, pk: int) -> HttpResponse:
    """What is wrong or missing as a zone file to download; with `?all=1` all records."""
    domain = domain_or_404(pk, with_dns=True)
    records = record_views(domain)
    every = "all" in request.GET or not any(record.is_failing for record in records)
    return HttpResponse(
        selectors.zone_text(domain, records, every=every),
        content_type="text/plain; charset=utf-8",
        headers=attachment(f"{domain.name}.zone"),
    )


@admin_required
@rate_limited("write")
@require_http_methods(["GET", "POST"])
def deviation(request: Request, pk: int, key: str) -> HttpResponse:
    """Accept a record that differs, with a reason."""
    domain = domain_or_404(pk, with_dns=True)
    record = next((one for one in record_views(domain) if one.key == key), None)
    if record is None:
        raise Http404
    form = DeviationForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with errors_on(form):
            accept_deviation(domain=domain, key=key, seen=_seen(request), **form.cleaned_data)
            messages.success(request, _("“%(record)s” is accepted.") % {"record": record.label})
            return go_to(request, reverse("domains:detail", args=[pk]))
    context = {
        "crumbs": crumbs(domain),
        "domain": domain,
        "record": record,
        "form": form,
    }
    status = 422 if form.errors else 200
    return render_page(request, "domains/deviation.html", context, status=status)


def _seen(request: Request) -> list[str] | None:
    """The values the form showed; the empty one beside them tells a form from a bare request."""
    values = request.POST.getlist("seen")
    return [value for value in values if value] if values else None


@admin_required
@rate_limited("write")
@require_POST
def deviation_withdraw(request: Request, pk: int, key: str) -> HttpResponse:
    """Count a record that differs as wrong again."""
    domain = domain_or_404(pk)
    withdraw_deviation(domain=domain, key=key)
    label = RecordKey(key).label
    messages.success(request, _("“%(record)s” is no longer accepted.") % {"record": label})
    return go_to(request, reverse("domains:detail", args=[pk]))
