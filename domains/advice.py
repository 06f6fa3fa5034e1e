"""What to do about a record: codes, which are kept, and their sentences, which are shown."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import models
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from domains import spf
from domains.expected import MAIL_SERVER


class Advice(models.TextChoices):
    """Code and sentence. `explain` fills in what was found."""

    NO_SUCH_DOMAIN = (
        "no_such_domain",
        gettext_lazy(
            "This domain does not exist in DNS. Check its spelling, that it is registered, and that"
            " its name servers are set at the registrar. A subdomain exists from its first record"
            " on."
        ),
    )
    MX_MISSING = "mx_missing", gettext_lazy("Create this record. Without it no mail arrives.")
    MX_OTHERS = (
        "mx_others",
        gettext_lazy("Remove %(others)s. Some mail would still be delivered there."),
    )
    MX_ELSEWHERE = (
        "mx_elsewhere",
        gettext_lazy("Replace %(others)s by this record. Until then mail is delivered there."),
    )
    MX_REFUSES = (
        "mx_refuses",
        gettext_lazy(
            "Replace the record “0 .” by this one. It says that the domain takes no mail."
        ),
    )
    SPF_MISSING = (
        "spf_missing",
        gettext_lazy("Create this record. Without it mail from this domain often lands in spam."),
    )
    SPF_NO_INCLUDE = (
        "spf_no_include",
        gettext_lazy(
            "Add include:_spf.purelymail.com to the record that exists. A second SPF record would"
            " break both. %(merged)s"
        ),
    )
    SPF_TWICE = (
        "spf_twice",
        gettext_lazy(
            "Merge the SPF records into one. While there are several, receivers ignore them all."
            " %(merged)s"
        ),
    )
    SPF_TOO_LATE = (
        "spf_too_late",
        gettext_lazy(
            "Move include:_spf.purelymail.com in front of “all”. Receivers read no further than"
            " that. %(merged)s"
        ),
    )
    SPF_REFUSES_US = (
        "spf_refuses_us",
        gettext_lazy(
            "Remove the sign before include:_spf.purelymail.com. With it, mail sent through"
            " PurelyMail fails. %(merged)s"
        ),
    )
    SPF_QUOTED = (
        "spf_quoted",
        gettext_lazy(
            "Enter the value again without the quotes or spaces around it: they have become part"
            " of it, so that receivers see no SPF record."
        ),
    )
    SPF_PASSES_ALL = (
        "spf_passes_all",
        gettext_lazy(
            "It works, but “+all” lets anybody send in the name of this domain. End it with “~all”."
        ),
    )
    OWNERSHIP_MISSING = (
        "ownership_missing",
        gettext_lazy("Create this record. PurelyMail takes no domain without it."),
    )
    OWNERSHIP_OTHER = (
        "ownership_other",
        gettext_lazy(
            "This is the code of another PurelyMail account. Add a record with the code of this"
            " account; remove the other if that account no longer has the domain."
        ),
    )
    DKIM_MISSING = (
        "dkim_missing",
        gettext_lazy(
            "Create this record. Keys are rotated, so mail verifies only part of the time"
            " without it."
        ),
    )
    DKIM_TEXT = (
        "dkim_text",
        gettext_lazy(
            "Replace the TXT record by this CNAME. A key copied into a TXT stops working when"
            " PurelyMail rotates it."
        ),
    )
    DKIM_OTHER_KEY = (
        "dkim_other_key",
        gettext_lazy("Point this record at its own key. It has the target of another one."),
    )
    DMARC_MISSING = (
        "dmarc_missing",
        gettext_lazy(
            "Create this record, or publish a policy of your own. Without one, receivers decide"
            " by themselves what to do with forged mail."
        ),
    )
    DMARC_OWN = (
        "dmarc_own",
        gettext_lazy(
            "An own policy, which works. PurelyMail looks for its own record and will go on"
            " reporting DMARC as failing."
        ),
    )
    DMARC_TWICE = (
        "dmarc_twice",
        gettext_lazy(
            "Keep one of these policies, or replace them by this record. While there are several,"
            " receivers ignore them all."
        ),
    )
    DMARC_NO_POLICY = (
        "dmarc_no_policy",
        gettext_lazy(
            "Replace the TXT record by this CNAME. It is no DMARC policy: one begins with"
            " v=DMARC1, in capitals."
        ),
    )
    ALIAS_ELSEWHERE = (
        "alias_elsewhere",
        gettext_lazy("Change the target of this CNAME. It does not lead to PurelyMail."),
    )
    ALIAS_ENDLESS = (
        "alias_endless",
        gettext_lazy(
            "Point this CNAME straight at its target. It leads through a chain that has no end or"
            " too many links."
        ),
    )
    DOMAIN_APPENDED = (
        "domain_appended",
        gettext_lazy(
            "The DNS provider has put the domain behind the target. Enter the target again with"
            " a dot at its end."
        ),
    )


def explain(code: str, found: Sequence[str] = ()) -> str:
    """The sentence for a code, filled with what was `found`; empty for a code nobody knows."""
    if code not in Advice.values:
        return ""
    words = {"others": _others(found), "merged": _merged(found)}
    return (str(Advice(code).label) % words).strip()


def _others(found: Sequence[str]) -> str:
    """The MX records that are not PurelyMail's, by name."""
    others = [text for text in found if text.split(" ")[-1].lower() != MAIL_SERVER]
    return get_text_list([f"“{text}”" for text in others], _("and")) or _("the others")


def _merged(found: Sequence[str]) -> str:
    """How the SPF record would read if it were right."""
    record = spf.merged(found)
    return _("It would read: %(record)s") % {"record": record} if record else ""
