"""The kinds of failure PurelyMail can answer with, each a kind of ours.

A refusal is final: PurelyMail understood and said no. Unavailable means there was no usable
answer. A write whose outcome cannot be found out raises `UnknownOutcomeError`.
"""

from __future__ import annotations

from purelymanage.core.errors import MissingError, RefusedError, UnavailableError


class ApiRefusedError(RefusedError):
    """PurelyMail said no; `code` is its own word for the reason."""

    def __init__(self, message: str, *, code: str = "", field: str | None = None) -> None:
        super().__init__(message, field=field)
        self.code = code


class InvalidTokenError(ApiRefusedError):
    """The API token is missing, wrong or revoked; nothing works until it is replaced."""


class RuleExistsError(ApiRefusedError):
    """A routing rule with the same domain, match and kind exists with other targets."""


class OwnershipError(ApiRefusedError):
    """PurelyMail does not see the ownership record of a domain that is to be added."""


class DomainExistsError(ApiRefusedError):
    """The domain is on the account already."""


class UserMissingError(MissingError):
    """PurelyMail knows no such mailbox."""


class NotReachedError(UnavailableError):
    """The call was not carried out: nothing was sent, or it was turned away at the door.

    `may_pass` says whether the same call is worth another attempt soon.
    """

    def __init__(self, message: str, *, may_pass: bool = False) -> None:
        super().__init__(message)
        self.may_pass = may_pass


class RateLimitedError(NotReachedError):
    """PurelyMail asks for a pause of `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message, may_pass=True)
        self.retry_after = retry_after


class NoAnswerError(UnavailableError):
    """The call was sent and no usable answer came back, so it may have been carried out."""


class UnknownOutcomeError(UnavailableError):
    """A change was sent, and whether it was made could not be found out."""
