"""Is what was typed well formed?"""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from domains.forms import OwnDomainField
from purelymanage.core.addresses import (
    MAX_ADDRESS,
    MAX_LOCAL_PART,
    clean_address,
    clean_domain,
    split_address,
)
from routing.models import RuleKind
from routing.picture import Rule

MAX_TARGETS = 500
MAX_TYPED = 100_000
NAMED_ERRORS = 3
EXACT = re.compile(r"(?!\.)(?!.*\.\.)[a-z0-9!#$%&'+/=?^_`{|}~.-]+(?<!\.)")
PREFIX = re.compile(r"(?!\.)(?!.*\.\.)[a-z0-9!#$%&'+/=?^_`{|}~.-]+")
QUOTED = re.compile(r'"[^"\n]*"\s*(?=<)')
IN_BRACKETS = re.compile(r"<([^<>\n]*)>")


class RuleForm(forms.Form):
    """One rule: which mail, and where it goes."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Which mail"),
        choices=[
            (RuleKind.EXACT, gettext_lazy("One address")),
            (RuleKind.PREFIX, gettext_lazy("Prefix: addresses that begin alike")),
            (RuleKind.ANY, gettext_lazy("Any address, also those with a mailbox")),
            (RuleKind.CATCH_ALL, gettext_lazy("Catch-all: only addresses without a mailbox")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose which mail the rule is for.")},
    )
    match = forms.CharField(
        label=gettext_lazy("Address or beginning"),
        required=False,
        max_length=MAX_ADDRESS + 1,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
        error_messages={"max_length": gettext_lazy("The local part has at most 64 characters.")},
    )
    domain = OwnDomainField()
    targets = forms.CharField(
        label=gettext_lazy("Goes to"),
        max_length=MAX_TYPED,
        widget=forms.Textarea(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
        error_messages={"required": gettext_lazy("Name at least one address the mail goes to.")},
    )

    def clean_targets(self) -> list[str]:
        return clean_targets(self.cleaned_data["targets"])

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if {"kind", "match", "domain"} <= cleaned.keys():
            try:
                cleaned["match"] = clean_match(
                    cleaned["match"], kind=RuleKind(cleaned["kind"]), domain=cleaned["domain"].name
                )
            except ValidationError as error:
                self.add_error("match", error)
        return cleaned

    def draft(self) -> Rule:
        """The rule that was typed; call it on a valid form."""
        cleaned = self.cleaned_data
        kind = RuleKind(cleaned["kind"])
        return Rule(
            domain=cleaned["domain"].name,
            match_user=cleaned["match"],
            is_prefix=kind != RuleKind.EXACT,
            is_catchall=kind == RuleKind.CATCH_ALL,
            targets=tuple(cleaned["targets"]),
        )


def clean_match(text: str, *, kind: RuleKind, domain: str) -> str:
    """The local part or its beginning, lower case; empty for the kinds that have none."""
    if kind in (RuleKind.ANY, RuleKind.CATCH_ALL):
        return ""
    local_part, typed_domain = split_address(text.strip().lower())
    if typed_domain and not _is_same(typed_domain, domain):
        raise ValidationError(
            _("Write only what stands before the @, and choose %(domain)s in the list.")
            % {"domain": typed_domain}
        )
    if local_part == "*":
        raise ValidationError(
            _("A star alone means every address: choose “Any address” or “Catch-all” above.")
        )
    if kind == RuleKind.EXACT and local_part.endswith("*"):
        raise ValidationError(
            _("For all addresses that begin with “%(start)s” choose “Prefix” above.")
            % {"start": local_part.rstrip("*")}
        )
    local_part = local_part.removesuffix("*")
    if not local_part:
        raise ValidationError(_("Write what stands before the @."))
    if len(local_part) > MAX_LOCAL_PART:
        raise ValidationError(_("The local part has at most 64 characters."))
    if len(f"{local_part}@{domain}") > MAX_ADDRESS:
        raise ValidationError(_("An address has at most 254 characters."))
    if not (PREFIX if kind == RuleKind.PREFIX else EXACT).fullmatch(local_part):
        raise ValidationError(
            _(
                "Use letters from a to z, digits and signs such as . - _ +, "
                "with no space and no two dots in a row."
            )
        )
    return local_part


def _is_same(typed: str, domain: str) -> bool:
    try:
        return clean_domain(typed) == domain
    except ValidationError:
        return False


def clean_targets(text: str) -> list[str]:
    """Addresses on lines, between commas or semicolons, also as `Name <address>`; each once."""
    found: dict[str, None] = {}
    wrong: dict[str, None] = {}
    for typed in split_targets(text):
        try:
            found[clean_address(typed)] = None
        except ValidationError:
            wrong[typed[:MAX_ADDRESS]] = None
    if wrong:
        raise ValidationError(_not_addresses(list(wrong)))
    if not found:
        raise ValidationError(_("Name at least one address the mail goes to."))
    if len(found) > MAX_TARGETS:
        raise ValidationError(_("A rule has at most %(count)d targets.") % {"count": MAX_TARGETS})
    return list(found)


def split_targets(text: str) -> list[str]:
    """What was typed or pasted, address by address, whatever stood between."""
    typed: list[str] = []
    for part in re.split(r"[,;\n\r]", QUOTED.sub("", text)):
        inside = IN_BRACKETS.search(part)
        typed += [inside[1].strip()] if inside else part.split()
    return [each.removeprefix("mailto:") for each in typed if each]


def _not_addresses(wrong: list[str]) -> str:
    named = ", ".join(f"“{each}”" for each in wrong[:NAMED_ERRORS])
    rest = len(wrong) - NAMED_ERRORS
    if rest > 0:
        named = _("%(named)s and %(count)d more") % {"named": named, "count": rest}
    return ngettext(
        "%(named)s is not an e-mail address. Write it like name@example.com.",
        "%(named)s are not e-mail addresses. Write them like name@example.com.",
        len(wrong),
    ) % {"named": named}


class TraceForm(forms.Form):
    """The address whose way is asked for."""

    address = forms.CharField(
        label=gettext_lazy("Where does this address go?"),
        max_length=1000,
        error_messages={"required": gettext_lazy("Type an address.")},
    )

    def clean_address(self) -> str:
        return clean_address(self.cleaned_data["address"])
