"""When PurelyMail says no: its few known reasons as our errors, all others word for word."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from purelymanage.core.errors import PurelyManageError
from purelymanage.purelymail.deeds import DEEDS
from purelymanage.purelymail.errors import (
    ApiRefusedError,
    DomainExistsError,
    InvalidTokenError,
    OwnershipError,
    RuleExistsError,
    UserMissingError,
)
from purelymanage.purelymail.types import Hidden

SECRET_FIELDS = ("password", "newPassword", "appPassword")
LONGEST_CODE = 60
LONGEST_MESSAGE = 300
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def refusal(reply: Hidden, *, operation: str, fields: Hidden, about: str) -> PurelyManageError:
    """Our error for PurelyMail's; there is no published list of codes."""
    code = _shown(reply.get("code"), fields)[:LONGEST_CODE]
    message = _shown(reply.get("message"), fields)[:LONGEST_MESSAGE]
    said = message.lower()
    subject = about or _("the account")
    if code == "invalidToken":
        return InvalidTokenError(_wrong_token(), code=code)
    if code == "ruleAlreadyExists":
        return RuleExistsError(_rule_exists() % {"subject": subject}, code=code)
    if operation == "addDomain" and "ownership" in said:
        return OwnershipError(_not_owned() % {"subject": subject}, code=code)
    if operation == "addDomain" and "already exists" in said:
        return DomainExistsError(_domain_exists() % {"subject": subject}, code=code)
    if code == "unknownUser" or "unknown user" in said:
        return UserMissingError(_user_missing() % {"subject": subject})
    words = {
        "deed": DEEDS[operation],
        "subject": subject,
        "message": message or _("no reason given"),
        "code": code or _("no code"),
    }
    return ApiRefusedError(
        _("PurelyMail refused to %(deed)s (%(subject)s): “%(message)s” (%(code)s).") % words,
        code=code,
    )


def _wrong_token() -> str:
    return _(
        "PurelyMail does not accept the API token. Copy the current one from PurelyMail's account "
        "page into PURELYMAIL_API_TOKEN (environment or .env), then restart the panel."
    )


def _rule_exists() -> str:
    return _(
        "%(subject)s has a routing rule on PurelyMail already, with other targets. "
        "Change or delete that rule first."
    )


def _not_owned() -> str:
    return _(
        "PurelyMail does not see the ownership record of %(subject)s. Publish the TXT record with "
        "the ownership code, wait until DNS shows it, then add the domain again."
    )


def _domain_exists() -> str:
    return _("%(subject)s is on the PurelyMail account already. Refresh the list of domains.")


def _user_missing() -> str:
    return _(
        "PurelyMail does not know %(subject)s. "
        "It may have been deleted or renamed: refresh the list."
    )


def _shown(value: object, fields: Hidden) -> str:
    """PurelyMail's words on one line, without the secrets it may have echoed."""
    text = _CONTROL.sub(" ", value).strip() if isinstance(value, str) else ""
    for name in SECRET_FIELDS:
        if fields.get(name):
            text = text.replace(fields[name], "•••")
    return text
