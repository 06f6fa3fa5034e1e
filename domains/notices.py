"""Mail about changes of DNS that held: good news and bad, each once, one mail a tick."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from domains.advice import explain
from domains.checks import CHECK_OF, FAILING, NAMES, check_views, holds, with_health
from domains.expected import expected_records, full_name
from domains.models import CheckSource, DnsChange, Domain, RecordKey
from domains.services.account import ownership_code
from purelymanage.core.addresses import shown_domain
from purelymanage.jobs.locks import only_one
from purelymanage.notifications.services import notify_admins
from purelymanage.ui.states import DNS_STATES

BAD, GOOD, OTHER = "bad", "good", "other"
LOCK, LOCK_SECONDS = "domains.notices", 600


@dataclass(frozen=True)
class Line:
    """One change in words."""

    tone: str
    text: str
    found: Sequence[str] = ()
    expected: str = ""
    advice: str = ""


@dataclass
class News:
    """What changed at one domain."""

    name: str
    url: str
    lines: list[Line] = field(default_factory=list)

    @property
    def is_bad(self) -> bool:
        """Whether somebody has to do something."""
        return any(line.tone == BAD for line in self.lines)


def tell() -> int:
    """Tell admins what newly held, in one mail, and return of how many changes it told.

    They count as told once the mail server has taken the mail: a worker that dies on the way
    leaves them to a later tick.
    """
    with only_one(LOCK, seconds=LOCK_SECONDS) as is_alone:
        if not is_alone:
            return 0
        untold = DnsChange.objects.filter(held_at__isnull=False, notified_at=None)
        changes = list(untold.order_by("held_at", "at", "pk"))
        news = list(_worth_telling(changes))
        if not _send(_news(news)):
            return 0
        told = DnsChange.objects.filter(pk__in=[change.pk for change in changes])
        told.update(notified_at=timezone.now())
    return len(news)


def _worth_telling(changes: Sequence[DnsChange]) -> Iterator[DnsChange]:
    """Without what was told already because the other of the two, PurelyMail or we, saw it first.

    What was last told about a check is the latest news of it, whoever saw it.
    """
    domains = {change.domain_id for change in changes}
    told = DnsChange.objects.filter(domain_id__in=domains, notified_at__isnull=False)
    latest = {_place(change): change for change in told.order_by("held_at", "at", "pk")}
    for change in changes:
        last = latest.get(_place(change))
        if last and last.source != change.source and _direction(last) == _direction(change):
            continue
        latest[_place(change)] = change
        yield change


def _place(change: DnsChange) -> tuple[int, str]:
    return change.domain_id, CHECK_OF.get(change.subject, change.subject)


def _direction(change: DnsChange) -> str:
    if change.after == "ok":
        return GOOD
    return BAD if change.after in FAILING else OTHER


def _news(changes: Sequence[DnsChange]) -> list[News]:
    """By domain, those with trouble first."""
    rows = with_health(
        Domain.objects.ours().filter(pk__in={change.domain_id for change in changes})
    )
    domains = {domain.pk: domain for domain in rows}
    news = {
        pk: News(
            name=shown_domain(domain.name),
            url=settings.BASE_URL + reverse("domains:detail", args=[pk]),
        )
        for pk, domain in domains.items()
    }
    for change in changes:
        if change.domain_id in domains:  # neither deleted since nor found to be PurelyMail's
            line = _line(change, domains[change.domain_id])
            news[change.domain_id].lines.append(line)
    return sorted(news.values(), key=lambda one: (not one.is_bad, one.name))


def _line(change: DnsChange, domain: Domain) -> Line:
    words = {
        "before": str(DNS_STATES[change.before].word),
        "after": str(DNS_STATES[change.after].word),
    }
    tone = _direction(change)
    if change.source == CheckSource.PURELYMAIL:
        words["what"] = NAMES[change.subject]
        text = _("%(what)s: “%(after)s” now, “%(before)s” before, says PurelyMail.") % words
        view = next(view for view in check_views(domain) if view.check == change.subject)
        if tone == BAD and not view.is_failing:
            tone, text = OTHER, f"{text} ({view.words})"
        return Line(tone, text)
    words["what"] = str(RecordKey(change.subject).label)
    text = _("%(what)s: “%(after)s” now, “%(before)s” before, by our own lookups.") % words
    row = next((row for row in domain.records.all() if row.key == change.subject), None)
    if row is None or row.state != change.after or tone == GOOD:
        return Line(tone, text)
    deviations = [one for one in domain.deviations.all() if one.key == change.subject]
    if any(holds(deviation, row) for deviation in deviations):
        tone, text = OTHER, f"{text} ({DNS_STATES['accepted'].word})"
    return Line(
        tone,
        text,
        found=row.found,
        expected=_expected(domain, change.subject),
        advice=explain(row.advice, row.found),
    )


def _expected(domain: Domain, key: str) -> str:
    """The record as it ought to be, on one line."""
    records = expected_records(ownership_code())
    one = next((record for record in records if record.key == key), None)
    return f"{full_name(domain.name, one.name)} {one.type} {one.value}" if one else ""


def _send(news: Sequence[News]) -> bool:
    if not news:
        return True
    return notify_admins(subject=_subject(news), template="dns_changed", context={"news": news})


def _subject(news: Sequence[News]) -> str:
    tones = {line.tone for one in news for line in one.lines}
    bad = [one for one in news if one.is_bad]
    names = _names(bad or news)
    if bad:
        return _("DNS fails: %(names)s") % {"names": names}
    if tones == {GOOD}:
        return _("DNS is right again: %(names)s") % {"names": names}
    return _("DNS has changed: %(names)s") % {"names": names}


def _names(news: Sequence[News]) -> str:
    more = len(news) - 1
    if not more:
        return news[0].name
    words = ngettext("%(first)s and %(more)d more", "%(first)s and %(more)d more", more)
    return words % {"first": news[0].name, "more": more}
