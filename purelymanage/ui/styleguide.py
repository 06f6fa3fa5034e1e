"""Samples for the style-guide page. They are ours alone and stay in English."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from django import forms
from django.core.paginator import Paginator
from django.utils import timezone

from purelymanage.ui.states import DNS_STATES, JOB_STATES, BarPart

COLOURS = [
    *("canvas", "surface", "sunken", "hover", "active", "overlay"),
    *("line", "line-strong", "line-control", "ink", "ink-2", "ink-3"),
    *("accent", "accent-solid", "accent-soft", "accent-mark", "ok", "ok-soft", "ok-mark"),
    *("warn", "warn-soft", "warn-mark", "bad", "bad-soft", "bad-wash", "bad-mark", "bad-solid"),
    "focus",
]

ROWS = (
    ("a.hartmann@lindenhof.example", "done", 3),
    ("a.lindqvist@lindenhof.example", "done_with_errors", 0),
    ("ingrid.solberg@lindenhof.example", "running", 12),
    ("p.osei@lindenhof-shop.example", "failed", 1),
)

DOMAINS = [(name, name) for name in ("lindenhof.example", "lindenhof-shop.example")]
ADDRESSES = ["it@lindenhof.example", "sales@lindenhof.example"]


class Check(NamedTuple):
    """A verdict in a cell of its own."""

    name: str
    tone: str
    icon: str
    words: object


class MailboxSample(forms.Form):
    """Text, an error, a new password, something optional."""

    local_part = forms.CharField(label="Local part")
    domain = forms.ChoiceField(label="Domain", choices=DOMAINS)
    source = forms.EmailField(
        label="Source address",
        error_messages={
            "invalid": "lea@oldhost is not an address. Write it in full, such as "
            "lea@oldhost.example."
        },
    )
    password = forms.CharField(
        label="New password", widget=forms.PasswordInput(render_value=True), min_length=8
    )
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea)


class RuleSample(forms.Form):
    """Chips, radios, a check box, a select, something read-only."""

    targets = forms.CharField(
        label="Deliver to",
        widget=forms.Textarea,
        help_text="Enter, comma or Tab adds an address. Paste a whole list if you have one.",
    )
    wrong_rows = forms.ChoiceField(
        label="Rows with errors",
        widget=forms.RadioSelect,
        choices=[("import", "Import the good rows"), ("stop", "Import nothing")],
        initial="import",
    )
    dry_run = forms.BooleanField(
        label="Dry run", required=False, initial=True, help_text="Compares, copies nothing."
    )
    token = forms.CharField(label="Token", initial="set in the environment")


def samples(url: str) -> dict[str, Any]:
    """The context of the style-guide page."""
    now = timezone.now()
    mailbox = MailboxSample(
        {
            "local_part": "lea.fontaine",
            "domain": "lindenhof.example",
            "source": "lea@oldhost",
            "password": "h7@Kd2mQv%9sTzX4pLw#",
        }
    )
    rule = RuleSample(
        initial={
            "targets": "sales@lindenhof.example\nt.brandt@brandt-partner.example\nnot-an-address"
        }
    )
    refused = MailboxSample({"local_part": "", "source": "lea@oldhost"}, prefix="refused")
    refused.add_error(None, "PurelyMail refused lea.fontaine. Nothing was changed.")
    return {
        "colours": COLOURS,
        "mailbox_form": mailbox,
        "rule_form": rule,
        "refused_form": refused,
        "addresses": ADDRESSES,
        "domains": [("", "All domains"), *DOMAINS],
        "many_addresses": [f"team-{number}@lindenhof.example" for number in range(1, 6)],
        "checks": [Check("MX", *DNS_STATES["ok"]), Check("SPF", *DNS_STATES["wrong"])],
        "job_states": list(JOB_STATES),
        "dns_states": list(DNS_STATES),
        "rows": ROWS,
        "page": Paginator(range(312), 50).page(2),
        "crumbs": [("Migrations", url), ("Lindenhof cut-over", url)],
        "tabs": [("DNS records", url, True, None), ("Mailboxes", url, False, 61)],
        "parts": [
            BarPart("ok", 96, "96 done", url),
            BarPart("warn", 2, "2 with errors", url),
            BarPart("bad", 2, "2 failed", url),
            BarPart("info", 4, "4 running", url),
            BarPart("rest", 44, "44 queued", url),
        ],
        "filters": [("All", url, True, 312), ("Failed", url, False, 2)],
        "moments": [
            now,
            now - timedelta(minutes=3),
            now - timedelta(days=1),
            now - timedelta(days=5),
            now - timedelta(days=30),
        ],
    }
