"""What pages need to know about mailboxes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from domains.filters import ListFilter, Listing, number_matching
from domains.models import Domain
from mailboxes import moves, rules
from mailboxes.models import Mailbox, MailboxQuerySet
from mailboxes.moves import Move
from mailboxes.rules import RuleLine, RulesAround
from purelymanage.core.addresses import shown_address, split_address
from purelymanage.core.paging import page_of
from purelymanage.deletions.models import DeletionKind, PendingDeletion
from purelymanage.deletions.selectors import pending_deletion, pending_deletions
from purelymanage.ui.navigation import PER_GROUP

COLUMNS = {"address": ["address"], "domain": ["domain__name", "address"]}
STATES = ("active", "pending")


def mailbox_filter(request: HttpRequest) -> ListFilter:
    """What the list's address asks for; the same query narrows exports and batches."""
    return ListFilter.of(request, orders=tuple(COLUMNS), states=STATES)


def matching_mailboxes(
    wanted: ListFilter, *, domains: Iterable[str] | None = None
) -> MailboxQuerySet:
    """All that the list's filter matches, on whatever page. `domains` as in `search`."""
    rows = Mailbox.objects.select_related("domain").search(wanted.search, domains=domains)
    if wanted.domain:
        rows = rows.filter(domain__name=wanted.domain)
    if wanted.state:
        rows = rows.pending() if wanted.state == "pending" else rows.active()
    return rows


def chosen_mailboxes(request: HttpRequest) -> MailboxQuerySet:
    """What is ticked in the list, or all that the filter in the query matches."""
    if request.POST.get("everything"):
        return matching_mailboxes(mailbox_filter(request))
    ticked = request.POST.getlist("selected")
    return Mailbox.objects.filter(
        pk__in=[int(pk) for pk in ticked if pk.isdecimal() and len(pk) < 19]
    )


def mailbox_list(wanted: ListFilter) -> Listing:
    """A handful of queries, however many mailboxes there are."""
    per_domain = Domain.objects.numbers_of("mailboxes")
    rows = matching_mailboxes(wanted, domains=per_domain)
    page = page_of(
        rows.order_by(*wanted.order_by(COLUMNS)),
        wanted.page,
        count=number_matching(per_domain, wanted),
    )
    addresses = [mailbox.address for mailbox in page]
    counts = rules.book.count(addresses)
    last = moves.book.last(addresses)
    pending = pending_deletions(DeletionKind.MAILBOX, addresses)
    for mailbox in page:
        mailbox.rule_count = counts.get(mailbox.address, 0)
        mailbox.last_move = last.get(mailbox.address)
        mailbox.deletion = pending.get(mailbox.address)
    return Listing.of(page, per_domain, wanted)


EXPORT_COLUMNS = ("address", "local_part", "domain", "state", "rules")
EXPORT_CHUNK = 1000


def export_rows(mailboxes: MailboxQuerySet) -> Iterator[tuple[object, ...]]:
    """A line per mailbox, in order of their addresses; a thousand at a time are in memory."""
    pks = list(mailboxes.order_by("address").values_list("pk", flat=True))
    for start in range(0, len(pks), EXPORT_CHUNK):
        chunk = Mailbox.objects.filter(pk__in=pks[start : start + EXPORT_CHUNK])
        addresses = list(chunk.order_by("address").values_list("address", flat=True))
        counts = rules.book.count(addresses)
        pending = pending_deletions(DeletionKind.MAILBOX, addresses)
        for address in addresses:
            local_part, domain = split_address(address)
            state = "deletion pending" if address in pending else "active"
            yield address, local_part, domain, state, counts.get(address, 0)


def busiest_domain() -> str:
    """The domain with most mailboxes: the likeliest one for the next."""
    domains = Domain.objects.ours().annotate(number=Count("mailboxes"))
    return domains.order_by("-number", "name").values_list("name", flat=True).first() or ""


@dataclass(frozen=True)
class Surroundings:
    """What the copy knows around one mailbox."""

    rules: RulesAround
    moves: list[Move]
    deletion: PendingDeletion | None


def surroundings(mailbox: Mailbox) -> Surroundings:
    """Rules in and out, the latest migrations, and whether it is to be deleted."""
    return Surroundings(
        rules=rules.book.around(mailbox.address),
        moves=moves.book.latest(mailbox.address),
        deletion=pending_deletion(DeletionKind.MAILBOX, mailbox.address),
    )


@dataclass(frozen=True)
class Outlook:
    """What would be the matter with an address, before there is a mailbox of it."""

    mailbox: Mailbox
    is_taken: bool
    taking: RuleLine | None
    """The rule that would take its mail away."""


def outlook(local_part: str, domain: Domain) -> Outlook:
    """What the copy knows of an address that is being typed."""
    mailbox = Mailbox(address=f"{local_part}@{domain.name}", domain=domain)
    return Outlook(
        mailbox=mailbox,
        is_taken=Mailbox.objects.filter(address=mailbox.address).exists(),
        taking=rule_taking_all(mailbox),
    )


def rule_taking_all(mailbox: Mailbox) -> RuleLine | None:
    """The routing rule that acts on its mail, unless it delivers there too. The nearest wins."""
    rule = next(iter(rules.book.around(mailbox.address).taking), None)
    delivers_here = rule and mailbox.address in (target.lower() for target in rule.targets)
    return None if delivers_here else rule


def unfinished_moves(mailbox: Mailbox) -> list[str]:
    """Migrations into it that have not ended."""
    return moves.book.unfinished(mailbox.address)


def find_mailboxes(text: str) -> list[tuple[str, str, str]]:
    """The first few whose address contains `text`, for the command palette."""
    return [
        (
            shown_address(mailbox.address),
            reverse("mailboxes:detail", args=[mailbox.pk]),
            _("Mailbox"),
        )
        for mailbox in Mailbox.objects.search(text)[:PER_GROUP]
    ]
