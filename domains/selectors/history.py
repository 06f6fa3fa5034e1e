"""What changed in the DNS of a domain, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from domains import checks
from domains.models import CheckSource, DnsChange, Domain, RecordKey
from purelymanage.core.paging import page_of
from purelymanage.ui.states import DNS_STATES

RECENT = 5
RECORDS = {
    RecordKey.MX: gettext_lazy("MX"),
    RecordKey.SPF: gettext_lazy("SPF"),
    RecordKey.OWNERSHIP: gettext_lazy("The ownership record"),
    RecordKey.DKIM1: gettext_lazy("DKIM key 1"),
    RecordKey.DKIM2: gettext_lazy("DKIM key 2"),
    RecordKey.DKIM3: gettext_lazy("DKIM key 3"),
    RecordKey.DMARC: gettext_lazy("DMARC"),
}
OWN = {
    "ok": gettext_lazy("%(subject)s is right"),
    "notice": gettext_lazy("%(subject)s is a policy of your own"),
    "wrong": gettext_lazy("%(subject)s is wrong"),
    "missing": gettext_lazy("%(subject)s went missing"),
}
PURELYMAIL = {
    "ok": gettext_lazy("PurelyMail passes %(subject)s"),
    "failing": gettext_lazy("PurelyMail fails %(subject)s"),
}


@dataclass(frozen=True)
class ChangeView:
    """One line of the history."""

    words: str
    note: str
    tone: str
    icon: str
    at: datetime


def recent_changes(domain: Domain) -> list[ChangeView]:
    """The newest few."""
    return [_view(change) for change in domain.dns_changes.all()[:RECENT]]


def history_page(domain: Domain, number: str) -> Page[Any]:
    """All of them, newest first, 50 a page; each has a `view`."""
    page = page_of(domain.dns_changes.all(), number)
    for change in page:
        change.view = _view(change)
    return page


def _view(change: DnsChange) -> ChangeView:
    look = DNS_STATES[change.after]
    return ChangeView(
        words=_words(change), note=_note(change), tone=look.tone, icon=look.icon, at=change.at
    )


def _words(change: DnsChange) -> str:
    if change.source == CheckSource.PURELYMAIL:
        return str(PURELYMAIL[change.after]) % {"subject": checks.NAMES[change.subject]}
    return str(OWN[change.after]) % {"subject": RECORDS[RecordKey(change.subject)]}


def _note(change: DnsChange) -> str:
    """What it was before, who saw it, and whether it lasted."""
    before = str(DNS_STATES[change.before].word)
    words = [_("Before: %(state)s.") % {"state": before}]
    if change.notified_at:
        words.append(_("Seen twice; admins were told."))
    elif change.held_at:
        words.append(_("Seen twice."))
    elif change.ended_at:
        words.append(_("Gone before a second check saw it; nobody was told."))
    else:
        words.append(_("Waits for a second check before anybody is told."))
    return " ".join(words)
