"""Puts on record what allauth does, and ends the sessions a new password should end.

The signals are the library's; our own flow has none.
"""

from __future__ import annotations

from typing import Any

from allauth.account import signals
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.entrance.failures import record_failure
from accounts.models import User
from accounts.services.sessions import end_sessions
from audit.actions import Action
from audit.services import record
from purelymanage.core.context import acting_as, person
from purelymanage.core.middleware import client_address


def connect() -> None:
    """Listen; called once, when the app is ready."""
    signals.user_logged_in.connect(on_signed_in)
    user_logged_out.connect(on_signed_out)
    user_login_failed.connect(on_sign_in_failed)
    signals.password_changed.connect(on_password_changed)
    signals.password_reset.connect(on_password_reset)


def on_signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    with acting_as(person(user, address=client_address(request))):
        record(Action.SIGNED_IN, target=user.email)


def on_signed_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        with acting_as(person(user, address=client_address(request))):
            record(Action.SIGNED_OUT, target=user.email)


def on_sign_in_failed(credentials: dict[str, Any], request: HttpRequest, **__: Any) -> None:
    record_failure(
        request,
        Action.SIGN_IN_FAILED,
        target=credentials.get("email", ""),
        refused=_("Wrong e-mail or password, or removed from the panel."),
    )


def on_password_changed(request: HttpRequest, user: User, **_: Any) -> None:
    end_sessions(person=user, keep=request.session.session_key)
    record(Action.PASSWORD_CHANGED, target=user.email)


def on_password_reset(request: HttpRequest, user: User, **_: Any) -> None:
    end_sessions(person=user)
    request.session.flush()
    with acting_as(person(user, address=client_address(request))):
        record(Action.PASSWORD_RESET, target=user.email)
