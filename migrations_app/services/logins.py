"""Live login tests that an admin waits for: few at a time, nothing stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import BoundedSemaphore

from django.core.cache import cache
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import audited
from migrations_app.engines.wording import host_and_port
from migrations_app.imap.probe import try_login
from migrations_app.imap.report import Report, Target
from purelymanage.core.context import current_actor
from purelymanage.core.errors import RefusedError, UnavailableError

AT_ONCE = 2
"""In each web process, which has four threads: the pages of others must not wait."""
PER_MINUTE = 20

_places = BoundedSemaphore(AT_ONCE)


def try_logins(*, targets: Mapping[str, Target]) -> list[Report]:
    """Sign in at each of `targets` side by side and out again, within about 15 seconds.

    They are keyed by what they are, "source" or "destination"; a lone one needs no name.

    Raises UnavailableError when too many tests run, RefusedError when there were too many.
    """
    _refuse_flood(len(targets))
    logins = ", ".join(
        f"{side} {target.user} at {_place_of(target)}".strip() for side, target in targets.items()
    )
    with _place(), suppress(_LoginFailedError), audited(Action.SERVER_TESTED, target=logins):
        with ThreadPoolExecutor(len(targets)) as threads:
            reports = list(threads.map(try_login, targets.values()))
        if failed := [report for report in reports if report.failed]:
            raise _LoginFailedError(" ".join(map(_reason, failed)))
    return reports


class _LoginFailedError(RefusedError):
    """A test that ended with no; its report says so, and the audit log."""


def _reason(report: Report) -> str:
    """Where and at which step; the server's own words stay on the page."""
    step = report.failed.step.label if report.failed else ""
    return _("%(place)s: failed at %(step)s.") % {"place": _place_of(report), "step": step}


def _place_of(end: Target | Report) -> str:
    return host_and_port(end.host, end.port)


@contextmanager
def _place() -> Iterator[None]:
    if not _places.acquire(blocking=False):
        raise UnavailableError(
            _("Other login tests are still running. Try again in a few seconds.")
        )
    try:
        yield
    finally:
        _places.release()


def _refuse_flood(count: int) -> None:
    """A person may try passwords, but not a list of them."""
    key = f"login-tests:{current_actor().user_id}"
    cache.add(key, 0, timeout=60)
    if cache.incr(key, count) > PER_MINUTE:
        raise RefusedError(
            _("More than %(count)d login tests within a minute. Wait a minute, then try again.")
            % {"count": PER_MINUTE}
        )
