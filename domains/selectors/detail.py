"""What the pages of one domain show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from domains import checks
from domains.checks import CheckView, RecordView
from domains.models import CHECKS, Domain, RecordKey, RecordState
from domains.zonefile import zone_file
from purelymanage.ui.states import Look

PATIENCE = timedelta(seconds=90)


@dataclass(frozen=True)
class DnsPage:
    """The DNS of one domain: our own lookup, PurelyMail's verdict, and both in a word."""

    own: list[CheckView]
    verdict: Look
    records: list[RecordView]
    summary: Look
    zone: str
    """What is wrong or missing as a zone file; empty where nothing is."""
    is_checking: bool
    is_late: bool
    """A recheck was asked for and has not come."""
    since: datetime | None
    """When what is waited for was asked."""
    seen: str
    """Changes with every lookup and recheck."""


def dns_page(domain: Domain, *, since: datetime | None = None) -> DnsPage:
    """`since` is when the page that asks began to wait, if it does."""
    records = checks.record_views(domain)
    judged = checks.check_views(domain)
    since = since or domain.recheck_wanted_at
    is_open = since is not None and _is_open(domain)
    in_time = since is not None and timezone.now() - since < PATIENCE
    return DnsPage(
        own=checks.own_views(domain),
        verdict=_verdict(domain, judged),
        records=records,
        summary=_summary(domain, records, judged),
        zone=zone_text(domain, records, every=False),
        is_checking=is_open and in_time,
        is_late=domain.recheck_wanted_at is not None and not in_time,
        since=since,
        seen=f"{domain.looked_at} {domain.unanswered_since} {domain.checked_at}",
    )


def _is_open(domain: Domain) -> bool:
    """Whether PurelyMail's recheck or our own lookup has still to come."""
    is_looked_up = domain.look_after is not None and domain.look_after > timezone.now()
    return domain.recheck_wanted_at is not None or not is_looked_up


def _verdict(domain: Domain, judged: list[CheckView]) -> Look:
    """What PurelyMail itself says."""
    fails = domain.failing
    if not fails:
        return Look("ok", "circle-check", _("Passes all four"))
    words = _("Fails %(checks)s") % {"checks": ", ".join(fails)}
    if len(fails) == len(CHECKS):
        words = _("Fails all four")
    if any(view.is_failing for view in judged):
        return Look("bad", "circle-x", words)
    if any(view.state == "unchecked" for view in judged):
        return Look("idle", "clock", _("Not checked yet"))
    return Look("info", "shield-check", _("%(words)s, as meant") % {"words": words})


def _summary(domain: Domain, records: list[RecordView], judged: list[CheckView]) -> Look:
    """The badge beside the name."""
    number = sum(record.is_failing for record in records)
    if number:
        words = ngettext("%(number)d record to fix", "%(number)d records to fix", number)
        return Look("bad", "circle-x", words % {"number": number})
    if all(record.row is None for record in records):
        return Look("idle", "clock", _("Not looked at yet"))
    if any(record.state == RecordState.NO_ANSWER for record in records):
        return Look("idle", "circle-help", _("No answer"))
    if any(view.is_failing for view in judged):
        return Look("warn", "triangle-alert", _("PurelyMail does not see it yet"))
    return Look("ok", "circle-check", _("All right"))


def zone_text(domain: Domain, records: list[RecordView], *, every: bool) -> str:
    """All records as a zone file, or what is wrong or missing; empty where there is none."""
    keys = [RecordKey(record.key) for record in records if every or record.is_failing]
    if not keys:
        return ""
    by_key = {record.key: record for record in records}
    ownership = by_key.get(RecordKey.OWNERSHIP.value)
    return zone_file(
        domain.name,
        keys,
        ownership_code=ownership.expected if ownership else "",
        spf_found=by_key[RecordKey.SPF.value].found,
    )
