"""Reading, and changing with the truth about how it ended."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.utils.translation import gettext as _

from purelymanage.core.errors import PurelyManageError, UnavailableError
from purelymanage.purelymail.errors import (
    NoAnswerError,
    NotReachedError,
    RateLimitedError,
    UnknownOutcomeError,
)
from purelymanage.purelymail.transport import Transport
from purelymanage.purelymail.types import Hidden

logger = logging.getLogger(__name__)

SECOND_LOOK = 1.0
"""Seconds before a change that is not there is looked for once more: it may still be under way."""


class Operations:
    """What the operations of every resource stand on."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _read(self, operation: str, fields: Hidden | None = None, *, about: str = "") -> Hidden:
        try:
            return self._transport.call(operation, fields, about=about, repeat=True)
        except NoAnswerError as error:
            raise NoAnswerError(
                _("%(reason)s Try again in a few minutes.") % {"reason": error}
            ) from None

    def _write(
        self,
        operation: str,
        fields: Hidden,
        *,
        about: str,
        done: Callable[[], bool] | None,
        unclear: str,
        repeat: bool = False,
        slow: bool = False,
    ) -> None:
        """Make a change. Where its outcome is unclear, `done` looks for it.

        `unclear` tells the admin where to look when we cannot, or when there is no `done`.
        """
        try:
            self._transport.call(
                operation, fields, about=about, slow=slow, changes=True, repeat=repeat
            )
        except NotReachedError as error:
            raise unchanged(error) from None
        except NoAnswerError as error:
            self._read_back(error, done=done, unclear=unclear)
            logger.info("%s had no usable answer, but was carried out", operation)

    def _read_back(
        self, failure: NoAnswerError, *, done: Callable[[], bool] | None, unclear: str
    ) -> None:
        """Return if the change was made after all, raise what is known otherwise."""
        if done is None:
            raise UnknownOutcomeError(f"{failure} {unclear}")
        try:
            if done():
                return
            self._transport.patience.sleep(SECOND_LOOK)
            if done():
                return
        except PurelyManageError:
            raise UnknownOutcomeError(f"{failure} {unclear}") from None
        raise unchanged(failure)


def unchanged(failure: UnavailableError) -> UnavailableError:
    """The failure of a change that was not made."""
    if isinstance(failure, RateLimitedError):
        return RateLimitedError(
            _("%(reason)s Nothing was changed.") % {"reason": failure},
            retry_after=failure.retry_after,
        )
    if isinstance(failure, NotReachedError):
        return NotReachedError(_("%(reason)s Nothing was changed.") % {"reason": failure})
    return UnavailableError(
        _(
            "%(reason)s Nothing was changed so far: PurelyMail shows everything as before. "
            "Look again in a minute before repeating it."
        )
        % {"reason": failure}
    )
