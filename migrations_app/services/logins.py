"""Live login tests that an admin waits for: few at a time, nothing stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.core.cache import cache
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import audited
from migrations_app.imap import try_login
from migrations_app.imap_report import Report, Target
from purelymanage.core.context import current_actor
from purelymanage.core.errors import RefusedError, UnavailableError

AT_ONCE = 2
"""In each web process, which has four threads: the pages of others must not wait."""
PER_MINUTE = 20

_places = BoundedSemaphore(AT_ONCE)


def try_logins(*, targets: Sequence[Target]) -> list[Report]:
    """Sign in at each of `targets` side by side and out again, within about 15 seconds.

    Raises UnavailableError when too many tests run, RefusedError when there were too many.
    """
    _refuse_flood(len(targets))
    names = ", ".join(f"{target.user} at {target.host}" for target in targets)
    with (
        _place(),
        audited(Action.SERVER_TESTED, target=names) as change,
        ThreadPoolExecutor(len(targets)) as threads,
    ):
        reports = list(threads.map(try_login, targets))
        change.after = {
            "failed": [report.failed.step if report.failed else "" for report in reports]
        }
    return reports


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
