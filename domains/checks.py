"""What a page shows of a domain's DNS: PurelyMail's four checks, and the seven records.

Made from rows alone: the domain, its `records` and its `deviations` (prefetch `with_health`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from domains import spf
from domains.advice import explain
from domains.expected import expected_records
from domains.models import (
    CHECKS,
    Deviation,
    DnsRecord,
    Domain,
    PurelyMailAccount,
    RecordKey,
    RecordState,
)
from purelymanage.ui.states import DNS_STATES

KEYS = {
    "mx": (RecordKey.MX,),
    "spf": (RecordKey.SPF,),
    "dkim": (RecordKey.DKIM1, RecordKey.DKIM2, RecordKey.DKIM3),
    "dmarc": (RecordKey.DMARC,),
}
"""The records each of PurelyMail's checks looks at; it does not look at the ownership again."""
CHECK_OF = {key.value: check for check, keys in KEYS.items() for key in keys}
NAMES = {"mx": "MX", "spf": "SPF", "dkim": "DKIM", "dmarc": "DMARC"}
LABELS = {
    "mx": gettext_lazy("MX, receiving"),
    "spf": gettext_lazy("SPF, who may send"),
    "dkim": gettext_lazy("DKIM, signature"),
    "dmarc": gettext_lazy("DMARC, policy"),
}
FAILING = {"failing", "wrong", "missing"}
Row = TypeVar("Row", DnsRecord, Deviation)
DIFFERS = {RecordState.WRONG, RecordState.MISSING, RecordState.NOTICE}
"""What can be accepted."""


@dataclass(frozen=True)
class CheckView:
    """One check in words, tone and icon."""

    check: str
    name: str
    label: str
    state: str
    """ok, failing, wrong, missing, no_answer, accepted, notice or unchecked."""
    words: str
    tone: str
    icon: str

    @property
    def is_failing(self) -> bool:
        """Whether somebody has to do something about it."""
        return self.state in FAILING


@dataclass(frozen=True)
class RecordView:
    """One row of the table of records."""

    key: str
    label: str
    type: str
    name: str
    expected: str
    found: list[str]
    state: str
    """A RecordState as of the newest try, or accepted or unchecked."""
    words: str
    tone: str
    icon: str
    advice: str
    problem: str
    deviation: Deviation | None
    """The acceptance that holds."""
    lapse: str
    """Who accepted it once, and why that does not hold any more."""
    row: DnsRecord | None

    @property
    def remedy(self) -> str:
        """The record that the advice spells out, which is to be published instead of `expected`."""
        record = spf.merged(self.found) if self.key == RecordKey.SPF else ""
        return record if record in self.advice else ""

    @property
    def is_failing(self) -> bool:
        """Whether somebody has to do something about it."""
        return self.state in FAILING

    @property
    def can_be_accepted(self) -> bool:
        """Whether it differs, with an answer to go by, and nobody has accepted that."""
        return self.state in DIFFERS


def with_health(domains: QuerySet[Domain]) -> QuerySet[Domain]:
    """With all that the views here need, in two queries more."""
    return domains.prefetch_related("records", "deviations")


def checks_of(domains: Iterable[Domain]) -> dict[int, list[CheckView]]:
    """The `check_views` of each by its key. Two queries, about those that fail something.

    Records that are right say nothing about a failing check, but that we have looked.
    """
    unwell = [domain.pk for domain in domains if not passes_all(domain)]
    telling = ~Q(state=RecordState.OK) | Q(domain__checked_at=None)
    records = DnsRecord.objects.filter(telling).only("domain_id", "key", "state", "found")
    seen = _by_domain(records.filter(domain__in=unwell))
    accepted = _by_domain(Deviation.objects.filter(domain__in=unwell))
    return {
        domain.pk: _verdicts(domain, seen[domain.pk], accepted[domain.pk]) for domain in domains
    }


def _by_domain(rows: QuerySet[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.domain_id].append(row)
    return found


def passes_all(domain: Domain) -> bool:
    """Whether PurelyMail's verdicts say all: then no record is needed to show them."""
    return all(getattr(domain, f"passes_{check}") for check in CHECKS)


def check_views(domain: Domain) -> list[CheckView]:
    """PurelyMail's verdicts, told apart by what our own lookups found; none where it is shared."""
    return _verdicts(domain, domain.records.all(), domain.deviations.all())


def _verdicts(
    domain: Domain, records: Iterable[DnsRecord], deviations: Iterable[Deviation]
) -> list[CheckView]:
    if domain.is_shared:
        return []
    if passes_all(domain):
        return [_view(check, "ok") for check in CHECKS]
    states = _record_states(records, deviations, is_newest=False)
    is_unknown = domain.checked_at is None and not states
    views = []
    for check in CHECKS:
        if getattr(domain, f"passes_{check}"):
            views.append(_view(check, "ok"))
        elif is_unknown:
            views.append(_view(check, "unchecked"))
        else:
            views.append(_judged(check, states, otherwise="failing"))
    return views


def own_views(domain: Domain) -> list[CheckView]:
    """The same four by our own lookups alone, as of the newest try."""
    states = _record_states(domain.records.all(), domain.deviations.all(), is_newest=True)
    views = []
    for check in CHECKS:
        seen = {states[key] for key in KEYS[check] if key in states}
        if not seen:
            views.append(_view(check, "unchecked"))
        else:
            is_silent = RecordState.NO_ANSWER in seen and not seen & FAILING
            views.append(_judged(check, states, otherwise="no_answer" if is_silent else "ok"))
    return views


def record_views(domain: Domain) -> list[RecordView]:
    """The table's rows: seven, or six while the ownership code was never read."""
    account = PurelyMailAccount.objects.first()
    rows = {row.key: row for row in domain.records.all()}
    deviations = {deviation.key: deviation for deviation in domain.deviations.all()}
    views = []
    for expected in expected_records(account.ownership_code if account else ""):
        row = rows.get(expected.key)
        deviation = deviations.get(expected.key)
        state = _state(row, deviation, is_newest=True) if row else "unchecked"
        look = DNS_STATES[state]
        views.append(
            RecordView(
                key=expected.key.value,
                label=str(expected.key.label),
                type=expected.type,
                name=expected.name,
                expected=expected.value,
                found=row.found if row else [],
                state=state,
                words=str(look.word),
                tone=look.tone,
                icon=look.icon,
                advice=explain(row.advice, row.found) if row and row.is_answered else "",
                problem=row.problem if row and not row.is_answered else "",
                deviation=deviation if state == "accepted" else None,
                lapse=_lapse(row, deviation) if row and deviation else "",
                row=row,
            )
        )
    return views


def holds(deviation: Deviation, row: DnsRecord) -> bool:
    """Whether what was accepted is what there is, and the time is not over."""
    return row.state in DIFFERS and not _is_over(deviation) and not _has_changed(deviation, row)


def _is_over(deviation: Deviation) -> bool:
    return deviation.until is not None and deviation.until < timezone.localdate()


def _has_changed(deviation: Deviation, row: DnsRecord) -> bool:
    return set(deviation.found) != set(row.found)


def _lapse(row: DnsRecord, deviation: Deviation) -> str:
    if row.state not in DIFFERS or holds(deviation, row):
        return ""
    facts = {"who": deviation.accepted_by_name, "reason": deviation.reason}
    if _has_changed(deviation, row):
        return _("%(who)s accepted another value: “%(reason)s” It has changed since.") % facts
    day = date_format(deviation.until, "j M Y") if deviation.until else ""
    return _("%(who)s accepted it until %(day)s: “%(reason)s” That time is over.") % {
        **facts,
        "day": day,
    }


def _record_states(
    records: Iterable[DnsRecord], deviations: Iterable[Deviation], *, is_newest: bool
) -> dict[str, str]:
    """The state of each record we have looked at, acceptances included."""
    accepted = {deviation.key: deviation for deviation in deviations}
    return {row.key: _state(row, accepted.get(row.key), is_newest=is_newest) for row in records}


def _state(row: DnsRecord, deviation: Deviation | None, *, is_newest: bool) -> str:
    """As of the newest try, or else by the last answer there was."""
    state = row.shown_state if is_newest else RecordState(row.state)
    if deviation and state in DIFFERS and holds(deviation, row):
        return "accepted"
    return state.value


def _judged(check: str, states: dict[str, str], *, otherwise: str) -> CheckView:
    """By the records that differ; `otherwise` where none does."""
    seen = [states[key] for key in KEYS[check] if key in states]
    wrong = [state for state in seen if state in FAILING]
    if wrong:
        state = "wrong" if "wrong" in wrong else "missing"
        return _view(check, state, words=_counted(check, state, wrong))
    for state in ("accepted", "notice"):
        if otherwise != "no_answer" and state in seen:
            return _view(check, state)
    return _view(check, otherwise)


def _counted(check: str, state: str, wrong: Sequence[str]) -> str:
    """ "1 of 3 missing", where a check looks at several records."""
    facts = {"number": len(wrong), "all": len(KEYS[check])}
    if facts["all"] == 1:
        return ""
    words = _("%(number)d of %(all)d missing"), _("%(number)d of %(all)d wrong")
    return words[state == "wrong"] % facts


def _view(check: str, state: str, *, words: str = "") -> CheckView:
    return _written_view(check, state, words, get_language())


@lru_cache(maxsize=512)
def _written_view(check: str, state: str, words: str, _language: str | None) -> CheckView:
    look = DNS_STATES[state]
    return CheckView(
        check=check,
        name=NAMES[check],
        label=str(LABELS[check]),
        state=state,
        words=words or str(look.word),
        tone=look.tone,
        icon=look.icon,
    )
