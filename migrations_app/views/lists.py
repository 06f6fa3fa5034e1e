"""The table of jobs, on the page of all and on the page of a batch, and what is new in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from zlib import crc32

from django.core.paginator import Page
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from migrations_app import selectors
from migrations_app.models import Batch, BulkWork
from migrations_app.progress.batches import BatchView
from migrations_app.queueing.dispatch import QueueView
from migrations_app.views.parts import moment_of
from purelymanage.core.http import Request, wants_fragment

FILTER_WORDS: dict[str, str | Promise] = {
    "": gettext_lazy("All"),
    "running": gettext_lazy("Running"),
    "queued": gettext_lazy("Queued"),
    "interrupted": gettext_lazy("Interrupted"),
    "failed": gettext_lazy("Failed"),
    "errors": gettext_lazy("With errors"),
    "done": gettext_lazy("Done"),
    "cancelled": gettext_lazy("Cancelled"),
}
CLOCKS_DIFFER_BY = timedelta(minutes=1)
"""At most, on the hosts that say when something happened."""
ALWAYS_OFFERED = ("", "running", "queued", "failed", "done")
GONE = "gone"


def list_context(
    request: Request, wanted: selectors.JobFilter, found: selectors.JobList
) -> dict[str, Any]:
    """What the table and its polling need."""
    return {
        **addresses_of(wanted),
        "list": found,
        "page": found.page,
        "wanted": wanted,
        "key": list_key(wanted, found.page.number),
        "address": list_address(wanted, found.page.number),
        "list_query": list_address(wanted).partition("?")[2],
        "filters": filter_links(wanted, found.counts),
        "known": known({row.job.pk: row.token for row in found.rows}),
        "counts": counts_token(found.counts),
        "can_change": request.user.is_admin,
        "is_fragment": wants_fragment(request),
        "oob": False,
    }


def filter_links(wanted: selectors.JobFilter, counts: dict[str, int]) -> list[dict[str, Any]]:
    """The states to narrow the list to; the rare ones only while there are any."""
    return [
        {
            "key": key or "all",
            "label": label,
            "url": list_address(replace(wanted, state=key)),
            "is_current": key == wanted.state,
            "count": counts[key],
        }
        for key, label in FILTER_WORDS.items()
        if key in ALWAYS_OFFERED or counts[key] or key == wanted.state
    ]


def addresses_of(wanted: selectors.JobFilter) -> dict[str, str]:
    """Where the list is, where it asks what is new, and where what is ticked is sent."""
    chosen = {"batch": wanted.batch, "q": wanted.query, "state": wanted.state}
    words = urlencode({name: value for name, value in chosen.items() if value})
    query = f"?{words}" if words else ""
    if wanted.batch is None:
        base, live = reverse("migrations:list"), reverse("migrations:list_live")
    else:
        base = reverse("migrations:batch", args=[wanted.batch])
        live = reverse("migrations:batch_live", args=[wanted.batch])
    return {
        "list_url": base,
        "live_url": live,
        "selected_url": f"{reverse('migrations:selected')}{query}",
        "check_url": f"{reverse('migrations:check_selected')}{query}",
    }


def list_address(wanted: selectors.JobFilter, number: int = 1) -> str:
    """Where this part of the list is."""
    query = {"q": wanted.query, "state": wanted.state, "page": str(number) if number > 1 else ""}
    words = urlencode({name: text for name, text in query.items() if text})
    base = addresses_of(wanted)["list_url"]
    return f"{base}?{words}" if words else base


def list_key(wanted: selectors.JobFilter, number: int) -> str:
    """Part of the ids that an answer replaces, so that a late one finds nothing to replace."""
    return f"{crc32(list_address(wanted, number).encode()):x}"


def known(tokens: dict[int, str]) -> str:
    """Which rows a browser shows, and how they looked, in their order."""
    return ",".join(f"{pk}:{token}" for pk, token in tokens.items())


def counts_token(counts: dict[str, int]) -> str:
    """The numbers of the filters, to notice a change in them."""
    return "-".join(str(number) for number in counts.values())


def list_news(
    request: Request, wanted: selectors.JobFilter, found: selectors.JobList, queue: QueueView
) -> dict[str, Any]:
    """What changed since the browser was told `known` and `counts`; `has_news` if anything did.

    Rows stay where they are while a menu is open (`held`).
    """
    seen = _seen(request.GET.get("known", ""))
    rows = {row.job.pk: row for row in found.rows}
    moved = list(rows) != list(seen)
    if moved and "held" in request.GET:
        moved, rows = False, {row.job.pk: row for row in selectors.list_known(list(seen), queue)}
    changed = [row for pk, row in rows.items() if row.token != seen.get(pk)]
    same_counts = request.GET.get("counts") == counts_token(found.counts)
    stands = rows if moved else seen
    return list_context(request, wanted, found) | {
        "has_news": bool(moved or changed) or not same_counts,
        "moved": moved,
        "changed": changed,
        "known": known({pk: rows[pk].token if pk in rows else GONE for pk in stands}),
        "restated": [
            row for row in changed if standing_of(seen.get(row.job.pk, "")) != row.standing
        ],
        "oob": True,
    }


def _seen(known: str) -> dict[int, str]:
    """What `known` said: row → token, in the order of the browser's rows."""
    pairs = (entry.partition(":") for entry in known.split(","))
    return {int(pk): token for pk, _colon, token in pairs if pk.isdecimal() and len(pk) < 19}


def standing_of(token: str) -> str:
    """What a row's token names as the standing of its job."""
    return token.split(".")[1] if token.count(".") == 2 else ""


def summary_context(
    batches: list[BatchView], works: list[BulkWork], *, is_active: bool
) -> dict[str, Any]:
    """What stands above the table: the numbers of batches, and actions on many jobs.

    `goes_on`: whether looking again makes sense; `is_active` says that of the jobs.
    """
    done = (f"{work.pk}:{work.settled}:{bool(work.ended_at):d}" for work in works)
    return {
        "batches": batches,
        "summaries_token": ",".join(f"{view.batch.pk}:{view.token}" for view in batches),
        "works": works,
        "works_token": ",".join(done),
        "goes_on": is_active or any(work.ended_at is None for work in works),
    }


def batch_list_context(page: Page[Batch]) -> dict[str, Any]:
    """What the list of batches and its polling need."""
    now = timezone.now()
    views = selectors.look_at(page)
    return {
        "page": page,
        "known": known({view.batch.pk: _list_token(view) for view in views}),
        "since": now.isoformat(),
        "goes_on": any(view.is_active for view in views),
        "oob": False,
    }


def batch_list_news(request: Request, page: Page[Batch]) -> dict[str, Any]:
    """What changed since the browser was told `known`; what stands still is not counted again.

    Rows stay where they are while a menu is open (`held`).
    """
    now, seen = timezone.now(), _seen(request.GET.get("known", ""))
    moved = [batch.pk for batch in page] != list(seen) and "held" not in request.GET
    views = selectors.look_at(page if moved else _not_at_rest(request, page, seen))
    tokens = {view.batch.pk: _list_token(view) for view in views}
    stands = tokens if moved else seen
    now_known = {batch.pk: tokens.get(batch.pk) or seen[batch.pk] for batch in page}
    return {
        "page": page,
        "known": known({pk: now_known.get(pk, GONE) for pk in stands}),
        "since": now.isoformat(),
        "moved": moved,
        "changed": [
            view
            for view in views
            if view.batch.pk in stands and tokens[view.batch.pk] != seen.get(view.batch.pk)
        ],
        "goes_on": any(view.is_active for view in views),
        "oob": False,
    }


def _not_at_rest(request: Request, page: Page[Batch], seen: dict[int, str]) -> list[Batch]:
    """Those that the browser does not show as they are for certain."""
    since = moment_of(request.GET.get("since", ""))
    if since is None:
        return list(page)
    stirring = selectors.stirring(page, since=since - CLOCKS_DIFFER_BY)
    return [
        batch
        for batch in page
        if batch.pk in stirring or not seen.get(batch.pk, "").endswith(_at_rest(batch))
    ]


def _list_token(view: BatchView) -> str:
    """How a row of the list looks, and whether it stays so until something happens."""
    return f"{view.token}-{view.head_token}{'' if view.is_active else _at_rest(view.batch)}"


def _at_rest(batch: Batch) -> str:
    return f"-{batch.state}"


def batch_context(view: BatchView) -> dict[str, Any]:
    """What the head of a batch's page needs."""
    return {
        "batch": view.batch,
        "view": view,
        "cut_over": getattr(view.batch, "cut_over", None),
        "cut_over_begin_url": (
            f"{reverse('migrations:cut_over_begin')}?{urlencode({'batch': view.batch.pk})}"
        ),
        "crumbs": [
            (_("Migrations"), reverse("migrations:list")),
            (_("Batches"), reverse("migrations:batches")),
        ],
    }
