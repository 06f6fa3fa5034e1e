"""What several pages about migrations share."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from migrations_app.imap_report import Report
from migrations_app.models import MigrationJob, Server
from purelymanage.core.http import Request, go_to

Words = str | Promise
STEP_LOOKS = {True: ("ok", "circle-check"), False: ("bad", "circle-x"), None: ("idle", "minus")}


def get_job(pk: int) -> MigrationJob:
    """The job of the address, with its servers, or 404."""
    jobs = MigrationJob.objects.select_related("source_server", "destination_server", "created_by")
    return get_object_or_404(jobs, pk=pk)


def tabs(current: str) -> list[tuple[Words, str, bool, int | None]]:
    """Jobs and Servers, the current one marked."""
    return [
        (_("Jobs"), reverse("migrations:list"), current == "jobs", None),
        (_("Servers"), reverse("migrations:servers"), current == "servers", Server.objects.count()),
    ]


def go_back(request: Request, otherwise: str) -> HttpResponse:
    """To the page of ours that the form names in `next`, or to `otherwise`."""
    url = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return go_to(request, url if is_ours else otherwise)


def report_rows(report: Report) -> list[dict[str, Any]]:
    """The steps of a login test, as the template shows them."""
    return [
        {
            "tone": STEP_LOOKS[result.ok][0],
            "icon": STEP_LOOKS[result.ok][1],
            "label": result.step.label,
            "sentence": result.sentence,
        }
        for result in report.steps
    ]
