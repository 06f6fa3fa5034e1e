"""Local part, domain, address: normalised once, the same way everywhere."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

BIDI = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # they turn the words of a row around
CONTROL = re.compile(rf"[\x00-\x1f\x7f-\x9f\u2028\u2029{BIDI}]")
LOCAL_PART = re.compile(r"(?!.*\.\.)[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?")
MAX_ADDRESS = 254
MAX_LOCAL_PART = 64


def clean_address(text: str) -> str:
    """`Name@Example.COM.` → `name@example.com`; raises ValidationError with a sentence."""
    address = text.strip().lower().removesuffix(".")
    if len(address) > MAX_ADDRESS:
        raise ValidationError(_("An address has at most 254 characters."))
    try:
        validate_email(address)
    except ValidationError:
        raise ValidationError(
            _("This is not an e-mail address. Write it like name@example.com.")
        ) from None
    return address


def clean_local_part(text: str) -> str:
    """The part before the `@`, lower case; raises ValidationError with a sentence."""
    local_part = text.strip().lower()
    if len(local_part) > MAX_LOCAL_PART or not LOCAL_PART.fullmatch(local_part):
        raise ValidationError(
            _(
                "Use letters, digits, dots, hyphens and underscores, up to 64 characters, with no"
                " dot or hyphen at either end and no two dots in a row."
            )
        )
    return local_part


def refuse_control_characters(text: str) -> None:
    """A validator: line breaks and other control characters have no place in names or logins."""
    if CONTROL.search(text):
        raise ValidationError(_("Remove the line break or control character."))


def split_address(address: str) -> tuple[str, str]:
    """`("name", "example.com")`; the domain is empty where there is no `@`."""
    local_part, _at, domain = address.rpartition("@")
    return (local_part, domain) if _at else (address, "")
