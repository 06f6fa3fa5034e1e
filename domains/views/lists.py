"""The list of domains, and the recheck of all that fail."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from domains import rechecks, selectors
from domains.filters import ListFilter
from domains.lists import render_list
from domains.lookups import resolver_outage
from domains.models import Domain, Kind
from purelymanage.core.http import Request, go_to
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required, viewer_required

TICK = timedelta(minutes=5)


@viewer_required
@require_GET
def domain_list(request: Request) -> HttpResponse:
    orders = tuple(selectors.COLUMNS)
    wanted = ListFilter.of(request, orders=orders, states=tuple(selectors.STATES))
    health = selectors.health()
    listed = selectors.domain_list(wanted, health)
    is_silent = any(domain.unanswered_since for domain in listed.page)
    return render_list(
        request,
        "domains/domain_list.html",
        wanted=wanted,
        listed=listed,
        kind=Kind.DOMAINS,
        health=health,
        health_links=health.links(wanted),
        outage_since=resolver_outage() if is_silent else None,
    )


@admin_required
@rate_limited("ask_much")
@require_POST
def recheck_failing(request: Request) -> HttpResponse:
    """Put every failing domain at the head of the queue."""
    failing = list(Domain.objects.failing())
    rechecks.want_recheck(failing)
    if failing:
        messages.success(request, _queued(len(failing)))
    else:
        messages.info(request, _("No domain fails, so nothing is rechecked."))
    return go_to(request, reverse("domains:list"))


def _queued(number: int) -> str:
    words = {"number": number, "most": rechecks.AT_MOST}
    if number <= rechecks.AT_MOST:
        return (
            ngettext(
                "%(number)d domain is queued. PurelyMail is asked within the next minutes.",
                "%(number)d domains are queued. PurelyMail is asked within the next minutes.",
                number,
            )
            % words
        )
    last = timezone.localtime() + TICK * ((number - 1) // rechecks.AT_MOST)
    return _(
        "%(number)d domains are queued: %(most)d every five minutes, the last at about %(time)s."
    ) % (words | {"time": date_format(last, "H:i")})
