"""What DNS should say of a domain, and the judgement of what it does say. Nothing here asks it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from domains import spf
from domains.advice import Advice
from domains.expected import ALIAS_TARGETS, MAIL_SERVER, OWNERSHIP_PREFIX
from domains.models import RecordKey, RecordState
from purelymanage.core.addresses import CONTROL

DMARC_POLICY = re.compile(r"[vV]\s*=\s*DMARC1\s*(;|$)")
WRAPPING = " \t\"'“”"
MAX_VALUES, MAX_LENGTH = 20, 4000


@dataclass(frozen=True)
class Finding:
    """What a lookup says of one record."""

    state: RecordState
    found: list[str] = field(default_factory=list)
    advice: str = ""
    problem: str = ""
    """Why there is no answer, in words."""


@dataclass(frozen=True)
class Answer:
    """DNS about one name and type: its values as text, in an order of their own."""

    values: tuple[str, ...] = ()
    is_nxdomain: bool = False
    problem: str = ""


@dataclass(frozen=True)
class Alias:
    """Where a CNAME leads, link by link; at its end, unless that is ours, the TXT found there."""

    links: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    is_endless: bool = False
    problem: str = ""


@dataclass(frozen=True)
class Answers:
    """All that was asked about one domain."""

    mx: Answer
    txt: Answer
    aliases: Mapping[RecordKey, Alias]


def judge(answers: Answers, *, ownership_code: str) -> dict[RecordKey, Finding]:
    """A finding for each of the seven records; six while the ownership code is unknown."""
    findings = {RecordKey.MX: _judge_mx(answers.mx), RecordKey.SPF: _judge_spf(answers.txt)}
    if ownership_code:
        findings[RecordKey.OWNERSHIP] = _judge_ownership(answers.txt, ownership_code)
    for key, alias in answers.aliases.items():
        findings[key] = _judge_dmarc(alias) if key == RecordKey.DMARC else _judge_dkim(key, alias)
    if answers.mx.is_nxdomain or answers.txt.is_nxdomain:
        return _without_domain(findings)
    return findings


def _without_domain(findings: dict[RecordKey, Finding]) -> dict[RecordKey, Finding]:
    """A name that does not exist has no records to create, unless one was seen all the same."""
    if any(one.found for one in findings.values()):
        return findings
    return {
        key: replace(one, advice=Advice.NO_SUCH_DOMAIN) if one.state == RecordState.MISSING else one
        for key, one in findings.items()
    }


def _judge_mx(answer: Answer) -> Finding:
    """Ours at any priority, and no other beside it."""
    if answer.problem:
        return _no_answer(answer.problem)
    if not answer.values:
        return Finding(RecordState.MISSING, advice=Advice.MX_MISSING)
    hosts = [_host(value.split(" ")[-1]) for value in answer.values]
    if set(hosts) == {MAIL_SERVER}:
        return _finding(RecordState.OK, answer.values)
    if any(host.startswith(f"{MAIL_SERVER}.") for host in hosts):
        advice = Advice.DOMAIN_APPENDED
    elif MAIL_SERVER in hosts:
        advice = Advice.MX_OTHERS
    else:
        advice = Advice.MX_REFUSES if hosts == [""] else Advice.MX_ELSEWHERE
    return _finding(RecordState.WRONG, answer.values, advice)


def _judge_spf(answer: Answer) -> Finding:
    """One SPF record that lets PurelyMail send; other TXT do not matter."""
    if answer.problem:
        return _no_answer(answer.problem)
    records = [text for text in answer.values if spf.is_spf(text)]
    if not records:
        quoted = [text for text in answer.values if spf.is_spf(text.strip(WRAPPING))]
        if quoted:
            return _finding(RecordState.WRONG, quoted, Advice.SPF_QUOTED)
        return Finding(RecordState.MISSING, advice=Advice.SPF_MISSING)
    if len(records) > 1:
        return _finding(RecordState.WRONG, records, Advice.SPF_TWICE)
    record = spf.Spf.parse(records[0])
    if record.lets_purelymail_send:
        advice = Advice.SPF_PASSES_ALL if record.everything == "all" else ""
        return _finding(RecordState.OK, records, advice)
    if record.refuses_purelymail:
        return _finding(RecordState.WRONG, records, Advice.SPF_REFUSES_US)
    too_late = record.names_purelymail_too_late
    advice = Advice.SPF_TOO_LATE if too_late else Advice.SPF_NO_INCLUDE
    return _finding(RecordState.WRONG, records, advice)


def _judge_ownership(answer: Answer, code: str) -> Finding:
    """The account's code among however many TXT."""
    if answer.problem:
        return _no_answer(answer.problem)
    wanted = _bare(code)
    proofs = [
        text
        for text in answer.values
        if _bare(text) == wanted or _bare(text).startswith(OWNERSHIP_PREFIX)
    ]
    if any(_bare(text) == wanted for text in proofs):
        return _finding(RecordState.OK, proofs)
    if proofs:
        return _finding(RecordState.WRONG, proofs, Advice.OWNERSHIP_OTHER)
    return Finding(RecordState.MISSING, advice=Advice.OWNERSHIP_MISSING)


def _judge_dkim(key: RecordKey, alias: Alias) -> Finding:
    """A CNAME that leads to this key's target, through however many others."""
    if (finding := _judge_alias(key, alias)) is not None:
        return finding
    if alias.links:
        is_swapped = _host(alias.links[-1]) in ALIAS_TARGETS.values()
        advice = Advice.DKIM_OTHER_KEY if is_swapped else Advice.ALIAS_ELSEWHERE
        return _finding(RecordState.WRONG, alias.links, advice)
    if alias.texts:
        return _finding(RecordState.WRONG, alias.texts, Advice.DKIM_TEXT)
    return Finding(RecordState.MISSING, advice=Advice.DKIM_MISSING)


def _judge_dmarc(alias: Alias) -> Finding:
    """PurelyMail's policy through its CNAME; an own one is on purpose, wherever it stands."""
    if (finding := _judge_alias(RecordKey.DMARC, alias)) is not None:
        return finding
    policies = [text for text in alias.texts if DMARC_POLICY.match(text.strip())]
    found = [*alias.links, *policies]
    if len(policies) > 1:
        return _finding(RecordState.WRONG, found, Advice.DMARC_TWICE)
    if policies:
        return _finding(RecordState.NOTICE, found, Advice.DMARC_OWN)
    if alias.links:
        return _finding(RecordState.WRONG, alias.links, Advice.ALIAS_ELSEWHERE)
    if alias.texts:
        return _finding(RecordState.WRONG, alias.texts, Advice.DMARC_NO_POLICY)
    return Finding(RecordState.MISSING, advice=Advice.DMARC_MISSING)


def _judge_alias(key: RecordKey, alias: Alias) -> Finding | None:
    """What can be said of a CNAME whatever it is for; None where its end must be looked at."""
    target = ALIAS_TARGETS[key]
    if alias.problem:
        return _no_answer(alias.problem)
    if alias.links and _host(alias.links[-1]) == target:
        return _finding(RecordState.OK, alias.links)
    if alias.is_endless:
        return _finding(RecordState.WRONG, alias.links, Advice.ALIAS_ENDLESS)
    if any(_host(link).startswith(f"{target}.") for link in alias.links):
        return _finding(RecordState.WRONG, alias.links, Advice.DOMAIN_APPENDED)
    return None


def _no_answer(problem: str) -> Finding:
    return Finding(RecordState.NO_ANSWER, problem=problem)


def _finding(state: RecordState, values: Sequence[str], advice: str = "") -> Finding:
    """Strangers write DNS: what is kept of it has an end and no control characters."""
    kept = [CONTROL.sub("\N{REPLACEMENT CHARACTER}", value) for value in values[:MAX_VALUES]]
    cut = [f"{one[:MAX_LENGTH]}{spf.CUT}" if len(one) > MAX_LENGTH else one for one in kept]
    return Finding(state, found=cut, advice=str(advice))


def _host(text: str) -> str:
    return text.removesuffix(".").lower()


def _bare(text: str) -> str:
    return text.strip(WRAPPING).lower()
