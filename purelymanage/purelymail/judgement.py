"""What an answer means, in an order that survives PurelyMail's failures with HTTP 200."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime

import requests
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from purelymanage.core.errors import PurelyManageError
from purelymanage.purelymail.deeds import DEEDS
from purelymanage.purelymail.errors import NoAnswerError, NotReachedError, RateLimitedError
from purelymanage.purelymail.refusals import refusal
from purelymanage.purelymail.types import Hidden

DEFAULT_PAUSE = 5.0


def judge(response: requests.Response, *, operation: str, fields: Hidden, about: str) -> Hidden:
    """The `result` of a successful answer; everything else raises."""
    if response.status_code == 429:
        raise _rate_limited(response)
    reply = _json_of(response)
    if isinstance(reply, Hidden):
        if _is_refusal(reply):
            raise refusal(reply, operation=operation, fields=fields, about=about)
        if 200 <= response.status_code < 300 and _is_success(reply):
            result = reply.get("result")
            if result is None or isinstance(result, Hidden):
                return result or Hidden()
    raise _unusable(response, operation=operation)


def _json_of(response: requests.Response) -> object:
    try:
        return json.loads(response.content, parse_float=Decimal, object_hook=Hidden)
    except (ValueError, RecursionError):
        return None


def _is_refusal(reply: Hidden) -> bool:
    typeless = "type" not in reply and "code" in reply and "message" in reply
    return reply.get("type") == "error" or (typeless and "result" not in reply)


def _is_success(reply: Hidden) -> bool:
    return reply.get("type") == "success" or ("type" not in reply and "result" in reply)


def _unusable(response: requests.Response, *, operation: str) -> PurelyManageError:
    status = response.status_code
    words = {"status": status, "deed": DEEDS[operation]}
    if status == 404:
        return NotReachedError(
            _(
                "PurelyMail's API is not at PURELYMAIL_API_URL (HTTP 404). "
                "Check that it is https://purelymail.com."
            )
            % words
        )
    if 300 <= status < 400:
        return NotReachedError(
            _("PURELYMAIL_API_URL answers with a redirect (HTTP %(status)s). Correct it.") % words
        )
    if 400 <= status < 500 and status != 408:
        return NotReachedError(
            _(
                "PurelyMail was asked to %(deed)s and turned the request away (HTTP %(status)s). "
                "Check PURELYMAIL_API_TOKEN, and whether a firewall or proxy stands in between."
            )
            % words
        )
    if status >= 500:
        return NoAnswerError(_("PurelyMail has a failure of its own (HTTP %(status)s).") % words)
    return NoAnswerError(
        _("PurelyMail was asked to %(deed)s; its answer could not be read.") % words
    )


def _rate_limited(response: requests.Response) -> RateLimitedError:
    seconds = _seconds(response.headers.get("Retry-After", ""))
    pause = max(1, round(seconds))
    return RateLimitedError(
        ngettext(
            "PurelyMail asks us to slow down. Try again in %(seconds)d second.",
            "PurelyMail asks us to slow down. Try again in %(seconds)d seconds.",
            pause,
        )
        % {"seconds": pause},
        retry_after=seconds,
    )


def _seconds(retry_after: str) -> float:
    """Retry-After is a number of seconds or a date."""
    if retry_after.strip().isdecimal():
        return float(retry_after[:9])
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return DEFAULT_PAUSE
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
