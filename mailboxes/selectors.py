"""What pages need to know about mailboxes."""

from __future__ import annotations

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from domains.filters import ListFilter, Listing
from domains.models import Domain
from mailboxes.models import Mailbox, MailboxQuerySet
from mailboxes.rules import RuleLine, RulesAround, book
from purelymanage.core.paging import page_of
from purelymanage.ui.navigation import PER_GROUP

COLUMNS = {"address": ["address"], "domain": ["domain__name", "address"]}
STATES = ("active", "pending")


def mailbox_filter(request: HttpRequest) -> ListFilter:
    """What the list's address asks for; the same query narrows exports and batches."""
    return ListFilter.of(request, orders=tuple(COLUMNS), states=STATES)


def matching_mailboxes(wanted: ListFilter) -> MailboxQuerySet:
    """All that the list's filter matches, on whatever page."""
    rows = Mailbox.objects.select_related("domain").search(wanted.search)
    if wanted.domain:
        rows = rows.filter(domain__name=wanted.domain)
    if wanted.state:
        rows = rows.pending() if wanted.state == "pending" else rows.active()
    return rows


def mailbox_list(wanted: ListFilter) -> Listing:
    """A handful of queries, however many mailboxes there are."""
    per_domain = Domain.objects.numbers_of("mailboxes")
    rows = matching_mailboxes(wanted)
    page = page_of(rows.order_by(*wanted.order_by(COLUMNS)), wanted.page)
    rules = book.count([mailbox.address for mailbox in page])
    for mailbox in page:
        mailbox.rule_count = rules.get(mailbox.address, 0)
    return Listing.of(page, per_domain, wanted)


def busiest_domain() -> str:
    """The domain with most mailboxes: the likeliest one for the next."""
    domains = Domain.objects.ours().annotate(number=Count("mailboxes"))
    return domains.order_by("-number", "name").values_list("name", flat=True).first() or ""


def mailbox_rules(mailbox: Mailbox) -> RulesAround:
    """The routing rules that take mail of this address away, and those that deliver to it."""
    return book.around(mailbox.address)


def rule_taking_all(mailbox: Mailbox) -> RuleLine | None:
    """The routing rule that acts on its mail, unless it delivers there too. The nearest wins."""
    rule = next(iter(mailbox_rules(mailbox).taking), None)
    delivers_here = rule and mailbox.address in (target.lower() for target in rule.targets)
    return None if delivers_here else rule


def find_mailboxes(text: str) -> list[tuple[str, str, str]]:
    """The first few whose address contains `text`, for the command palette."""
    return [
        (mailbox.address, reverse("mailboxes:detail", args=[mailbox.pk]), _("Mailbox"))
        for mailbox in Mailbox.objects.search(text)[:PER_GROUP]
    ]
