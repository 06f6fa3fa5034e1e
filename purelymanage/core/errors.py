"""Errors that carry a sentence an admin can act on.

The sentence says what happened, to which object, and what to do next. It never holds a secret.
Forms show it with `errors_on`; anywhere else the middleware does.
"""


class PurelyManageError(Exception):
    """Base of everything we raise on purpose; `field` names the form field it belongs to."""

    status = 400

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return self.message


class RefusedError(PurelyManageError):
    """A rule of ours or of PurelyMail forbids it; trying again changes nothing."""

    status = 409


class InvalidError(PurelyManageError):
    """What was typed is not well formed."""

    status = 422


class MissingError(PurelyManageError):
    """What was asked for is not there, or not any more."""

    status = 404


class UnavailableError(PurelyManageError):
    """Something outside did not answer; the same call may work later. Only this is retried."""

    status = 503
