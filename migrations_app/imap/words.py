"""What went wrong while signing in, in sentences that say what to do next."""

from __future__ import annotations

import errno
import imaplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from migrations_app.imap.connections import LookupTimeoutError, OffLimitsError, TooFarError
from migrations_app.imap.hosts import no_answer, off_limits, too_far
from migrations_app.imap.presets import hint_for
from migrations_app.imap.report import Step, StepError, Target, quoted
from migrations_app.models import Security
from purelymanage.core.addresses import CONTROL

MAX_ANSWER = 200
MAX_USER = 80

# OpenSSL's X509_V_ERR_* numbers
NOT_YET_VALID, EXPIRED, SELF_SIGNED, SELF_SIGNED_IN_CHAIN = 9, 10, 18, 19
NO_ISSUER, NO_LEAF_ISSUER, WRONG_NAME, WRONG_IP = 20, 21, 62, 64


@contextmanager
def failing(step: Step, target: Target, is_over: Event) -> Iterator[None]:
    """Turn what the block raises into a StepError of `step`, without any secret in it."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise StepError(Step.CERTIFICATE, bad_certificate(target, error)) from None
    except (OSError, imaplib.IMAP4.error) as error:
        reason = TimeoutError() if is_over.is_set() else error
        raise StepError(step, _sentence(step, target, reason)) from None


def _sentence(step: Step, target: Target, error: Exception) -> str:
    if isinstance(error, imaplib.IMAP4.error):
        return _imap_trouble(step, target, error)
    if isinstance(error, OffLimitsError):
        return off_limits(target.host)
    if isinstance(error, TooFarError):
        return too_far(target.host)
    if isinstance(error, socket.gaierror | LookupTimeoutError):
        return _unknown_host(target, error)
    if isinstance(error, ssl.SSLError) and not isinstance(error, TimeoutError):
        return no_tls(target)
    if isinstance(error, TimeoutError):
        return _silent(step, target)
    return _no_way(target, error)


def _place(target: Target) -> dict[str, Any]:
    return {"host": target.host, "port": target.port}


def _unknown_host(target: Target, error: Exception) -> str:
    if isinstance(error, LookupTimeoutError):
        return no_answer(target.host)
    return _("There is no host called %(host)s. Check its spelling.") % _place(target)


def _no_way(target: Target, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if isinstance(error, ConnectionRefusedError):
        return _(
            "%(host)s refused the connection on port %(port)s. "
            "Check the port: it is 993 for TLS, 143 for STARTTLS."
        ) % _place(target)
    if number in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return _(
            "There is no way from here to %(host)s. Check the address, "
            "and whether this machine may reach that network."
        ) % _place(target)
    return _(
        "%(host)s closed the connection on port %(port)s. Check port and security, "
        "then try again in a few minutes."
    ) % _place(target)


def _silent(step: Step, target: Target) -> str:
    if step == Step.TLS:
        return no_tls(target)
    if step == Step.LOGIN:
        return _(
            "%(host)s took the connection but did not answer in time. Try again in a few minutes."
        ) % _place(target)
    if target.security == Security.TLS:
        return _(
            "%(host)s did not answer on port %(port)s in time. "
            "Check the port, and whether a firewall stands in between."
        ) % _place(target)
    return _(
        "%(host)s said nothing on port %(port)s in time. If that port expects TLS, "
        "choose TLS; otherwise a firewall may stand in between."
    ) % _place(target)


def no_tls(target: Target) -> str:
    """Answers, but not with TLS."""
    return _(
        "%(host)s does not speak TLS on port %(port)s. Choose STARTTLS, or the port for TLS, "
        "which is 993."
    ) % _place(target)


def no_starttls(target: Target) -> str:
    """Speaks IMAP, but offers no STARTTLS."""
    return _(
        "%(host)s does not offer STARTTLS on port %(port)s. Choose TLS with port 993."
    ) % _place(target)


def bad_certificate(target: Target, error: ssl.SSLCertVerificationError) -> str:
    """Why the certificate was not believed."""
    code = error.verify_code
    place = _place(target)
    if code in (WRONG_NAME, WRONG_IP):
        return (
            _("The certificate is not for %(host)s. Use the host name that it is made out to.")
            % place
        )
    if code == EXPIRED:
        return _("The certificate of %(host)s has expired. Its operator has to renew it.") % place
    if code == NOT_YET_VALID:
        return (
            _("The certificate of %(host)s is not valid yet. Check this machine's clock.") % place
        )
    if code == SELF_SIGNED:
        return (
            _(
                "%(host)s has a certificate that it signed itself. Add that certificate "
                "to IMAP_CA_FILE to trust it."
            )
            % place
        )
    if code in (SELF_SIGNED_IN_CHAIN, NO_ISSUER, NO_LEAF_ISSUER):
        return (
            _(
                "The certificate of %(host)s comes from an authority this machine does not know. "
                "Add that authority to IMAP_CA_FILE to trust it."
            )
            % place
        )
    return (
        _("The certificate of %(host)s was not accepted. Its operator has to look at it.") % place
    )


def certificate(facts: dict[str, Any] | None) -> str:
    """Until when the certificate is valid."""
    if not facts or "notAfter" not in facts:
        return _("Valid.")
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(facts["notAfter"]), UTC)
    return _("Valid until %(date)s.") % {"date": date_format(until, "j F Y")}


def login_disabled(target: Target) -> str:
    """The server takes no passwords on this connection."""
    if target.security == Security.NONE:
        return _("%(host)s takes no password without encryption. Choose TLS or STARTTLS.") % _place(
            target
        )
    return _(
        "%(host)s takes no passwords for IMAP. Ask its provider how programs sign in there."
    ) % _place(target)


def login_refused(target: Target, answer: list[Any]) -> str:
    """The server said no to the login."""
    text = readable(answer, target)
    lower = text.lower()
    if "privacyrequired" in lower or "plaintext authentication disallowed" in lower:
        return login_disabled(target)
    if _is_crowded(lower):
        return _too_many(target)
    if "[unavailable]" in lower or "[inuse]" in lower or "temporar" in lower:
        return _(
            "%(host)s cannot check logins at the moment. Try again in a few minutes. "
            "It said: %(text)s"
        ) % {**_place(target), "text": text}
    sentence = _("%(host)s refused this address or password. It said: %(text)s") % {
        **_place(target),
        "text": text or "NO",
    }
    hint = hint_for(target.host)
    return f"{sentence} {hint}" if hint else sentence


def _is_crowded(lower: str) -> bool:
    return any(
        sign in lower
        for sign in ("[limit]", "too many", "maximum number of connections", "simultaneous")
    )


def _too_many(target: Target) -> str:
    return _(
        "%(host)s has too many connections for this address. Close a mail program "
        "or wait a few minutes, then try again."
    ) % _place(target)


def _imap_trouble(step: Step, target: Target, error: imaplib.IMAP4.error) -> str:
    """A broken conversation: BYE, no IMAP at all, or an answer that makes no sense.

    Only the refusal of a login is quoted: what else answers may be no mail server at all.
    """
    text = str(error)
    if _is_crowded(text.lower()):
        return _too_many(target)
    if step == Step.TLS:
        return no_starttls(target)
    if not isinstance(error, imaplib.IMAP4.abort):
        return login_refused(target, [text.encode()])
    if "unexpected response" in text:
        return _("%(host)s answers on port %(port)s, but not as an IMAP server does.") % _place(
            target
        )
    return _no_way(target, error)


def readable(answer: list[Any], target: Target) -> str:
    """What the server said, short, without control characters and without the password."""
    text = " ".join(
        part.decode(errors="replace") if isinstance(part, bytes) else str(part)
        for part in answer
        if part
    )
    if target.password:
        text = text.replace(target.password, "…").replace(quoted(target.password), "…")
    return CONTROL.sub(" ", text).strip()[:MAX_ANSWER]


def short(text: str) -> str:
    """A login name for a sentence."""
    return text if len(text) <= MAX_USER else f"{text[:MAX_USER]}…"
