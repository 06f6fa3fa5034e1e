"""Is the process up, and is the panel ready for work? For load balancers and monitoring."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_safe

from purelymanage.jobs.health import LATE_SECONDS, seconds_since_worker_seen

GetResponse = Callable[[HttpRequest], HttpResponse]

OK = "ok"


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nothing of anything else."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Database, migrations and worker, each `ok` or what is wrong; 503 if anything is."""
    try:
        facts = {"database": OK, "migrations": _migrations(), "worker": _worker()}
    except Error:
        facts = {"database": "no answer", "migrations": "unknown", "worker": "unknown"}
    is_ready = all(fact == OK for fact in facts.values())
    return JsonResponse(facts, status=200 if is_ready else 503)


PROBES = {"/healthz": healthz, "/readyz": readyz}


class ProbeMiddleware:
    """Answers the probes before hosts, https, sessions and set-up get a say in it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = PROBES.get(request.path_info)
        if probe is None:
            return self.get_response(request)
        response = probe(request)
        add_never_cache_headers(response)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def _migrations() -> str:
    applied = MigrationRecorder(connection).applied_migrations()
    missing = len(_known_migrations() - applied.keys())
    return f"{missing} not applied, run manage.py migrate" if missing else OK


@cache
def _known_migrations() -> frozenset[tuple[str, str]]:
    """All migrations of this code, read from disk once."""
    return frozenset(MigrationLoader(None).disk_migrations)


def _worker() -> str:
    try:
        seconds = seconds_since_worker_seen()
    except Error:  # its table is not there before the first migrate
        return "unknown"
    if seconds is None:
        return "never seen"
    if seconds > LATE_SECONDS:
        return f"last seen {seconds:.0f} s ago"
    return OK
