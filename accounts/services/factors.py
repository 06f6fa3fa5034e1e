"""What can happen to second factors, beyond what django-allauth does."""

from __future__ import annotations

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.actions import Action
from audit.services import audited
from purelymanage.core.errors import RefusedError

Type = Authenticator.Type
LAST_STEP = "last_step"
"""Which code of an app was taken last: the number of its 30 seconds since 1970."""


@transaction.atomic
def spend_code(app: Authenticator, code: str) -> bool:
    """Take a code of an authenticator app, once: of two requests at once, one gets it.

    Codes before the last one taken are refused as well, so the clock's tolerance gives no second
    chance to whoever saw one.
    """
    row = Authenticator.objects.select_for_update().get(pk=app.pk)
    step = _step_of(decrypt(row.data["secret"]), code)
    if step <= row.data.get(LAST_STEP, 0):
        return False
    row.data[LAST_STEP] = step
    row.save(update_fields=["data"])
    return True


def _step_of(secret: str, code: str) -> int:
    """The newest step within the tolerance that has this code; 0 if none has."""
    steps = totp.yield_hotp_counters_from_time()
    return max(
        (
            step
            for step in steps
            if compare_user_code(
                actual=code, expected=totp.format_hotp_value(totp.hotp_value(secret, step))
            )
        ),
        default=0,
    )


@transaction.atomic
def make_codes(*, person: User) -> None:
    """New recovery codes in place of the old ones.

    allauth's own way tells of it only after the change is made, when that can fail.
    """
    User.objects.select_for_update().get(pk=person.pk)
    Authenticator.objects.filter(user=person, type=Type.RECOVERY_CODES).delete()
    RecoveryCodes.activate(person)


@transaction.atomic
def show_codes(*, person: User) -> list[str]:
    """The recovery codes of a person, the first time somebody asks for them and never again."""
    row = (
        Authenticator.objects.select_for_update()
        .filter(user=person, type=Type.RECOVERY_CODES)
        .first()
    )
    codes = row.wrap() if row else None
    if codes is None or codes.did_view:
        raise RefusedError(
            _("Your recovery codes were shown already. If you do not have them, make new ones.")
        )
    codes.mark_as_viewed()
    shown: list[str] = codes.get_unused_codes()
    return shown


def as_file(codes: list[str], *, person: User) -> str:
    """Recovery codes as a text to keep, with what they are for."""
    head = _("Recovery codes of %(email)s for PurelyManage at %(url)s. Each lets you in once.")
    words = {"email": person.email, "url": settings.BASE_URL}
    return "\n".join([head % words, "", *codes, ""])


def rename_passkey(*, passkey: Authenticator, name: str) -> None:
    """Give a passkey another name."""
    wrapped = passkey.wrap()
    if name == wrapped.name:
        return
    with audited(
        Action.FACTOR_RENAMED,
        target=wrapped.name,
        before={"name": wrapped.name},
        after={"name": name},
    ):
        wrapped.name = name
        passkey.save(update_fields=["data"])
