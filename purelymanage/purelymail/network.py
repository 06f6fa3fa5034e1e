"""What went wrong before there was an answer, told as one of our errors."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests
from django.utils.translation import gettext as _
from urllib3.exceptions import NewConnectionError, ReadTimeoutError

from purelymanage.core.errors import RefusedError
from purelymanage.core.hosts import is_loopback
from purelymanage.purelymail.errors import NoAnswerError, NotReachedError


def checked_url(url: str) -> str:
    """The base URL without trailing slash; refuses what would send the token in the clear."""
    parts = urlsplit(url)
    plain = parts.scheme == "http" and is_here(url)
    if not parts.hostname or "@" in parts.netloc or not (parts.scheme == "https" or plain):
        raise RefusedError(
            _(
                "PURELYMAIL_API_URL must be an https:// address without user name. "
                "Correct it in the environment or .env, then restart the panel."
            )
        )
    return url.rstrip("/")


def is_here(url: str) -> bool:
    """Whether the address is this machine, where the simulator speaks plain HTTP."""
    return is_loopback(urlsplit(url).hostname or "")


def token_problem(token: str) -> str:
    """What is wrong with the token's form, empty if nothing is."""
    if not token.strip():
        return _(
            "No PurelyMail API token is set. Copy it from PurelyMail's account page into "
            "PURELYMAIL_API_TOKEN (environment or .env), then restart the panel."
        )
    if not (token.strip().isascii() and token.strip().isprintable()):
        return _(
            "PURELYMAIL_API_TOKEN holds characters that no token has. "
            "Copy it again from PurelyMail's account page, then restart the panel."
        )
    return ""


def failure_of(
    error: requests.RequestException, *, base: str, timeout: float
) -> NoAnswerError | NotReachedError:
    """Our error for one of `requests`: was nothing sent, or is the outcome unclear?"""
    reason = error.args[0] if error.args else None
    reason = getattr(reason, "reason", None) or reason
    if isinstance(error, requests.ReadTimeout) or isinstance(reason, ReadTimeoutError):
        return NoAnswerError(
            _("PurelyMail did not answer within %(seconds)g seconds.") % {"seconds": timeout}
        )
    if isinstance(error, requests.exceptions.SSLError):
        return _encryption_failure(str(error), base=base)
    unsent = (requests.ConnectTimeout, requests.exceptions.ProxyError)
    if isinstance(error, unsent) or isinstance(reason, NewConnectionError):
        return NotReachedError(
            _(
                "PurelyMail could not be reached at %(base)s. "
                "Check this server's network and name resolution, then try again."
            )
            % {"base": base},
            may_pass=True,
        )
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidHeader):
        return NotReachedError(
            _("No call to %(base)s could be made. Check PURELYMAIL_API_URL.") % {"base": base}
        )
    return NoAnswerError(_("The connection to PurelyMail broke before its answer was complete."))


def _encryption_failure(text: str, *, base: str) -> NoAnswerError | NotReachedError:
    if "CERTIFICATE_VERIFY_FAILED" not in text:
        return NoAnswerError(_("The encrypted connection to PurelyMail broke off."))
    return NotReachedError(
        _(
            "The certificate of %(base)s could not be verified. "
            "Check PURELYMAIL_API_URL, this server's clock, and any proxy in between."
        )
        % {"base": base}
    )
