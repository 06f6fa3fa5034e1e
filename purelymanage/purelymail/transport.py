"""One call to PurelyMail: sending it, judging the answer, and repeating it where that is safe.

Token and request bodies never leave this module: frames of `requests` that hold them are dropped
with its exceptions, and every JSON object is a `Hidden`, which shows nothing of itself.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from secrets import SystemRandom
from typing import Any

import requests

from purelymanage.core.errors import PurelyManageError
from purelymanage.purelymail.errors import (
    InvalidTokenError,
    NoAnswerError,
    NotReachedError,
    RateLimitedError,
)
from purelymanage.purelymail.judgement import judge
from purelymanage.purelymail.network import checked_url, failure_of, is_here, token_problem
from purelymanage.purelymail.types import Hidden

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT = 10.0
_random = SystemRandom()


@dataclass(frozen=True)
class Patience:
    """How long to wait for an answer, and how often to ask."""

    timeout: float = 30.0
    slow_timeout: float = 60.0
    """For operations that wait for DNS: `addDomain` and rechecks."""
    attempts: int = 3
    longest_pause: float = 10.0
    sleep: Callable[[float], None] = time.sleep

    def pause_after(self, attempt: int) -> float:
        """Doubles with each attempt, with jitter so that workers do not come back in step."""
        return 0.5 * float(2**attempt) * _random.uniform(0.5, 1.0)


class Transport:
    """Speaks the envelope of PurelyMail's API over one kept-alive session."""

    def __init__(self, *, url: str, secret: Hidden, patience: Patience) -> None:
        self._token_problem = token_problem(secret["token"])
        self._session = requests.Session()
        if not self._token_problem:
            self._session.headers["Purelymail-Api-Token"] = secret["token"].strip()
        self._session.headers["Content-Type"] = "application/json"
        self._session.headers["User-Agent"] = "PurelyManage"
        self._session.auth = _leave_alone
        self._base = checked_url(url)
        self._session.trust_env = not is_here(self._base)
        self.patience = patience

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def call(
        self,
        operation: str,
        fields: Hidden | None = None,
        *,
        about: str = "",
        slow: bool = False,
        changes: bool = False,
        repeat: bool = False,
    ) -> Hidden:
        """The `result` of one operation; `repeat` allows further attempts after an unclear one.

        For a call that `changes` something, `NoAnswerError` means that it may have been made.
        """
        started = time.monotonic()
        timeout = self.patience.slow_timeout if slow else self.patience.timeout
        unclear = False
        for attempt in range(self.patience.attempts):
            try:
                return self._once(operation, fields or Hidden(), about=about, timeout=timeout)
            except PurelyManageError as error:
                unclear = unclear or isinstance(error, NoAnswerError)
                logger.warning("%s, attempt %s: %s", operation, attempt + 1, type(error).__name__)
                last = attempt + 1 == self.patience.attempts
                late = time.monotonic() - started > timeout * 1.4
                pause = self._pause(error, attempt, repeat=repeat)
                if last or late or pause is None:
                    if changes and unclear and not isinstance(error, NoAnswerError):
                        raise NoAnswerError(error.message) from None
                    raise
            self.patience.sleep(pause)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _pause(self, error: Exception, attempt: int, *, repeat: bool) -> float | None:
        """Seconds to wait before the next attempt, None where there must be none."""
        if isinstance(error, RateLimitedError):
            return error.retry_after if error.retry_after <= self.patience.longest_pause else None
        if not repeat:
            return None
        if isinstance(error, NoAnswerError) or (
            isinstance(error, NotReachedError) and error.may_pass
        ):
            return self.patience.pause_after(attempt)
        return None

    def _once(self, operation: str, fields: Hidden, *, about: str, timeout: float) -> Hidden:
        if self._token_problem:
            raise InvalidTokenError(self._token_problem)
        failure: PurelyManageError | None = None
        try:
            response = self._session.post(
                f"{self._base}/api/v0/{operation}",
                data=json.dumps(fields).encode(),
                timeout=(min(timeout, CONNECT_TIMEOUT), timeout),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            failure = failure_of(error, base=self._base, timeout=timeout)
        if failure is not None:  # raised here, so that it drags no frame of requests along
            raise failure
        return judge(response, operation=operation, fields=fields, about=about)


def _leave_alone(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No Authorization header, whatever a ~/.netrc says."""
    return request


def fields(**values: Any) -> Hidden:
    """A request body of exactly these fields, without the unset ones."""
    return Hidden({name: value for name, value in values.items() if value is not None})
