"""What pages need to know about mailboxes."""

from __future__ import annotations

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _

from domains.filters import ListFilter, Listing
from domains.models import Domain
from mailboxes.models import Mailbox
from mailboxes.rules import RuleLine, RulesAround, book
from purelymanage.core.paging import page_of
from purelymanage.ui.navigation import PER_GROUP

COLUMNS = {"address": ["address"], "domain": ["domain__name", "address"]}


def mailbox_list(wanted: ListFilter) -> Listing:
    """Four queries, however many mailboxes there are."""
    per_domain = Domain.objects.numbers_of("mailboxes")
    rows = Mailbox.objects.select_related("domain").search(wanted.search)
    if wanted.domain:
        rows = rows.filter(domain__name=wanted.domain)
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
