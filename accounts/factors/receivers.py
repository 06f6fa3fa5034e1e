"""Puts on record what happens to second factors, and has the person told of it by mail.

The signals are django-allauth's.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.entrance.failures import record_failure
from accounts.models import User
from audit.actions import Action
from audit.services import record
from purelymanage.core.context import acting_as, person
from purelymanage.core.middleware import client_address
from purelymanage.jobs.queue import enqueue

Type = Authenticator.Type


def connect() -> None:
    """Listen; called once, when the app is ready."""
    signals.authenticator_added.connect(on_added)
    signals.authenticator_removed.connect(on_removed)
    signals.authenticator_used.connect(on_used)
    signals.authentication_failed.connect(on_failed)


def on_added(request: HttpRequest, user: User, authenticator: Authenticator, **more: Any) -> None:
    if authenticator.type == Type.RECOVERY_CODES:
        on_codes_made(request, user, **more)
    else:
        _tell(request, user, Action.FACTOR_ADDED, what=called(authenticator))


def on_removed(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    _tell(request, user, Action.FACTOR_REMOVED, what=called(authenticator))


def on_codes_made(request: HttpRequest, user: User, **_: Any) -> None:
    _tell(request, user, Action.RECOVERY_CODES_MADE)


def on_used(request: HttpRequest, user: User, authenticator: Authenticator, **__: Any) -> None:
    if authenticator.type == Type.RECOVERY_CODES:
        _tell(request, user, Action.RECOVERY_CODE_USED)


def on_failed(request: HttpRequest, user: User, *, reauthentication: bool, **__: Any) -> None:
    """Codes at sign-in; forms put refused passkeys on record, the page of confirming the rest."""
    if reauthentication:
        return
    record_failure(
        request,
        Action.FACTOR_FAILED,
        target=user.email,
        refused=_("The code was wrong, or used already."),
    )


def called(authenticator: Authenticator) -> str:
    """A factor in words, a passkey by its name."""
    if authenticator.type == Type.WEBAUTHN:
        return _("Passkey “%(name)s”") % {"name": authenticator.wrap().name}
    if authenticator.type == Type.TOTP:
        return _("Authenticator app")
    return _("Recovery codes")


def _tell(request: HttpRequest, user: User, action: Action, *, what: str = "") -> None:
    """An entry in the person's name, and a mail to them."""
    address = client_address(request)
    target = what if what else user.email
    with acting_as(person(user, address=address)):
        record(action, target=target)
    moment = timezone.now().isoformat(timespec="seconds")
    enqueue("accounts.tasks.send_factor_news", user.pk, str(action), what, moment, address)
