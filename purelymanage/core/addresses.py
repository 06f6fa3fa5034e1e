"""Local part, domain, address: normalised once, the same way everywhere."""

from __future__ import annotations

import re
from functools import lru_cache

import idna
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

BIDI = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # they turn the words of a row around
CONTROL = re.compile(rf"[\x00-\x1f\x7f-\x9f\u2028\u2029{BIDI}]")
LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
LOCAL_PART = re.compile(r"(?!.*\.\.)[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?")
PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
FOREIGN_DOMAIN = re.compile(r"(?<![\w.-])(?=[\w.-]*xn--)[\w-]+(\.[\w-]+)+(?![\w.-]*@)", re.ASCII)
MAX_ADDRESS = 254
MAX_LOCAL_PART = 64
MAX_DOMAIN = 253
NO_ADDRESS = _("This is not an e-mail address. Write it like name@example.com.")


def clean_address(text: str) -> str:
    """`Name@Example.COM.` → `name@example.com`; raises ValidationError with a sentence."""
    local_part, domain = split_address(text.strip().lower().removesuffix("."))
    address = f"{local_part}@{_ascii(domain)}" if domain else local_part
    if len(address) > MAX_ADDRESS:
        raise ValidationError(_("An address has at most 254 characters."))
    try:
        validate_email(address)
        if address.isascii():  # Django takes domains that have no form in DNS
            return address
    except ValidationError:
        pass
    raise ValidationError(NO_ADDRESS)


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


def clean_domain(text: str) -> str:
    """` Bücher.Example. ` → `xn--bcher-kva.example`; raises ValidationError with a sentence."""
    domain = _ascii(text.strip().lower().removesuffix("."))
    labels = domain.split(".")
    if len(labels) < 2 or labels[-1].isdigit() or not all(map(LABEL.fullmatch, labels)):
        raise ValidationError(_("This is not a domain. Write it like example.com."))
    if len(domain) > MAX_DOMAIN:
        raise ValidationError(_("A domain has at most 253 characters."))
    return domain


def clean_phone(text: str) -> str:
    """`+49 (170) 123-4567` → `+491701234567`; raises ValidationError with a sentence."""
    number = re.sub(r"[\s()/.-]", "", text)
    if not PHONE.fullmatch(number):
        raise ValidationError(
            _("This is not a phone number. Write it with its country code, like +49 170 1234567.")
        )
    return number


def _ascii(domain: str) -> str:
    """The form DNS and PurelyMail know. What cannot be converted stays, for others to refuse."""
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return domain


@lru_cache(maxsize=4096)
def shown_domain(domain: str) -> str:
    """`xn--bcher-kva.example` → `bücher.example`, as people write and read it."""
    if "xn--" not in domain:
        return domain
    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain


def shown_address(address: str) -> str:
    """`lea@xn--bcher-kva.example` → `lea@bücher.example`, as people write and read it."""
    local_part, domain = split_address(address)
    return f"{local_part}@{shown_domain(domain)}" if domain else address


def shown_text(text: str) -> str:
    """`lea@xn--bcher-kva.example: MX` → `lea@bücher.example: MX`: every domain in a longer text."""
    return FOREIGN_DOMAIN.sub(lambda found: shown_domain(found[0]), text)


def refuse_control_characters(text: str) -> None:
    """A validator: line breaks and other control characters have no place in names or logins."""
    if CONTROL.search(text):
        raise ValidationError(_("Remove the line break or control character."))


def split_address(address: str) -> tuple[str, str]:
    """`("name", "example.com")`; the domain is empty where there is no `@`."""
    local_part, _at, domain = address.rpartition("@")
    return (local_part, domain) if _at else (address, "")
