"""What an admin should know before a rule is saved. Pure: a draft, and a picture of the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from purelymanage.core.addresses import shown_address, shown_domain, split_address
from routing.models import RuleKind
from routing.picture import Picture, Rule
from routing.tracing import Ending, Trace, trace
from routing.words import listed, rules_named, sentence


class Weight(StrEnum):
    """Whether a finding stops the rule, asks for a second yes, or is only said."""

    REFUSAL = "refusal"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One sentence about the draft, and the rule it speaks of."""

    weight: Weight
    code: str
    text: str
    rule_pk: int = 0


@dataclass(frozen=True)
class Report:
    """All that is to be said about a draft."""

    sentence: str
    findings: tuple[Finding, ...] = field(default_factory=tuple)

    def of(self, weight: Weight) -> list[Finding]:
        return [finding for finding in self.findings if finding.weight == weight]

    @property
    def refusals(self) -> list[Finding]:
        return self.of(Weight.REFUSAL)

    @property
    def warnings(self) -> list[Finding]:
        return self.of(Weight.WARNING)

    @property
    def notes(self) -> list[Finding]:
        return self.of(Weight.NOTE)

    @property
    def seal(self) -> str:
        """Stands for exactly these warnings, so that a yes to them is no yes to others."""
        if not self.warnings:
            return ""
        said = "\n".join(finding.text for finding in self.warnings)
        return hashlib.sha256(said.encode()).hexdigest()[:16]


def lint(draft: Rule, picture: Picture) -> Report:
    """Judge a draft. With a `pk` it is to replace that rule, which is left out of the picture."""
    before = picture.without(draft.pk) if draft.pk else picture
    findings = list(_refusals(draft, before))
    if not findings:
        findings = list(_warnings(draft, before))
    return Report(sentence(draft, before), tuple(findings))


def _refusals(draft: Rule, before: Picture) -> Iterator[Finding]:
    """PurelyMail keeps one rule for each domain, match and kind of match."""
    for other in before.of_domain(draft.domain):
        if other.key != draft.key:
            continue
        names = {"source": shown_address(other.source), "targets": listed(other.targets)}
        same_targets = set(other.targets) == set(draft.targets)
        if same_targets and other.is_catchall == draft.is_catchall:
            text = _("Exactly this rule exists: %(source)s goes to %(targets)s.") % names
            yield Finding(Weight.REFUSAL, "same", text, other.pk)
        elif draft.match_user:
            text = _(
                "%(source)s has a rule already; it goes to %(targets)s. "
                "Edit that rule to change its targets."
            )
            yield Finding(Weight.REFUSAL, "taken", text % names, other.pk)
        else:
            text = _(
                "%(domain)s has a rule for “%(kind)s” already, which goes to %(targets)s. "
                "PurelyMail keeps one of “Any address” and “Catch-all”: edit or delete that one."
            )
            more = {"domain": shown_domain(draft.domain), "kind": other.kind.label}
            yield Finding(Weight.REFUSAL, "excluded", text % (names | more), other.pk)


def _warnings(draft: Rule, before: Picture) -> Iterator[Finding]:
    after = before.plus(draft)
    if after.is_mute(draft):
        yield _never_matches(draft)
    else:
        yield from _takes_mail_away(draft, after)
        yield from _shadows(draft, before)
        yield from _loops(draft, after)
    yield from _dead_ends(draft, after)
    yield from _due(draft, after)


def _never_matches(draft: Rule) -> Finding:
    text = _(
        "This rule can never match: %(domain)s has symbolic subaddressing on, so PurelyMail "
        "simplifies addresses with a dot, plus, hyphen or underscore before it reads rules. "
        "Leave out the symbol, or turn the setting off for the domain."
    )
    words = {"domain": shown_domain(draft.domain)}
    return Finding(Weight.WARNING, "never", text % words)


def _takes_mail_away(draft: Rule, after: Picture) -> Iterator[Finding]:
    """From mailboxes that have it now, unless they are among the targets."""
    taken = sorted(
        address
        for address in _own_mailboxes(draft, after)
        if address not in draft.targets and _wins(draft, address, after)
    )
    if not taken:
        return
    if draft.kind == RuleKind.EXACT:
        text = _("This rule takes the mail of %(names)s away from its mailbox.") % {
            "names": listed(taken)
        }
    else:
        text = ngettext(
            "This rule takes the mail of %(count)d mailbox away from it: %(names)s.",
            "This rule takes the mail of %(count)d mailboxes away from them: %(names)s.",
            len(taken),
        ) % {"count": len(taken), "names": listed(taken)}
    yield Finding(Weight.WARNING, "takes", text)


def _own_mailboxes(draft: Rule, picture: Picture) -> Iterator[str]:
    if draft.is_catchall:
        return
    if draft.kind == RuleKind.EXACT:
        if draft.source in picture.mailboxes:
            yield draft.source
        return
    for address in picture.mailboxes:
        local_part, domain = split_address(address)
        if domain == draft.domain and draft.matches(local_part):
            yield address


def _wins(draft: Rule, address: str, picture: Picture) -> bool:
    return next(iter(picture.acting_on(address)), None) == draft


def _shadows(draft: Rule, before: Picture) -> Iterator[Finding]:
    """Which rules stand before it, and before which it stands. Fallbacks are worth a note only."""
    others = [rule for rule in before.of_domain(draft.domain) if not before.is_mute(rule)]
    if not draft.match_user:
        yield from _stands_behind(others)
        return
    named = [rule for rule in others if rule.match_user]
    if draft.is_prefix:
        yield from _leaves_to([rule for rule in named if draft.matches(rule.match_user)])
    wider = [rule for rule in named if rule.is_prefix and rule.matches(draft.match_user)]
    yield from _comes_before(draft, wider)
    for rule in others:
        if not rule.match_user:
            text = _("It comes before %(source)s (%(kind)s).") % {
                "source": shown_address(rule.source),
                "kind": rule.kind.label,
            }
            yield Finding(Weight.NOTE, "fallback", text, rule.pk)


def _stands_behind(others: list[Rule]) -> Iterator[Finding]:
    if others:
        text = ngettext(
            "%(count)d rule of this domain comes before this one: %(names)s.",
            "%(count)d rules of this domain come before this one: %(names)s.",
            len(others),
        ) % {"count": len(others), "names": rules_named(others)}
        yield Finding(Weight.NOTE, "behind", text)


def _leaves_to(nearer: list[Rule]) -> Iterator[Finding]:
    if nearer:
        text = ngettext(
            "%(count)d rule is nearer and keeps its own addresses: %(names)s.",
            "%(count)d rules are nearer and keep their own addresses: %(names)s.",
            len(nearer),
        ) % {"count": len(nearer), "names": rules_named(nearer)}
        yield Finding(Weight.WARNING, "shadowed", text, nearer[0].pk)


def _comes_before(draft: Rule, wider: list[Rule]) -> Iterator[Finding]:
    if wider:
        text = _(
            "This rule is nearer than %(names)s, which no longer gets mail for %(source)s."
        ) % {
            "names": rules_named(wider),
            "source": shown_address(draft.source),
        }
        yield Finding(Weight.WARNING, "shadows", text, wider[0].pk)


def _ways(draft: Rule, after: Picture) -> list[Trace]:
    """The way of mail that the rule takes: for one address, or from its targets on."""
    starts = [draft.source] if draft.kind == RuleKind.EXACT else draft.targets
    return [trace(start, after) for start in starts]


def _loops(draft: Rule, after: Picture) -> Iterator[Finding]:
    for way in _ways(draft, after):
        for circle in way.loops:
            if any(_wins(draft, address, after) for address in circle):
                round_trip = " → ".join(map(shown_address, [*circle, circle[0]]))
                text = _("This rule makes a loop: %(way)s. PurelyMail cuts it after some hops.")
                yield Finding(Weight.WARNING, "loop", text % {"way": round_trip})
                return


def _dead_ends(draft: Rule, after: Picture) -> Iterator[Finding]:
    """Targets, and targets of targets, that are on domains of ours and nobody's."""
    steps = [trace(target, after).root for target in draft.targets]
    lost = [step.address for root in steps for step in root if _is_dead(step.ending, step.rule)]
    lost = list(dict.fromkeys(lost))
    if not lost:
        return
    if after.is_truncated:
        text = ngettext(
            "%(names)s is not among the mailboxes PurelyMail lists (1,000 at most) and has no "
            "rule: if it does not exist, mail sent there bounces.",
            "%(names)s are not among the mailboxes PurelyMail lists (1,000 at most) and have no "
            "rule: if they do not exist, mail sent there bounces.",
            len(lost),
        )
    else:
        text = ngettext(
            "%(names)s has neither a mailbox nor a rule: mail sent there bounces.",
            "%(names)s have neither a mailbox nor a rule: mail sent there bounces.",
            len(lost),
        )
    yield Finding(Weight.WARNING, "dead", text % {"names": listed(lost)})


def _is_dead(ending: Ending, rule: Rule | None) -> bool:
    return ending == Ending.NOBODY and rule is None


def _due(draft: Rule, after: Picture) -> Iterator[Finding]:
    """Mailboxes and domains that are about to go."""
    names = [draft.domain, *draft.targets, *(split_address(t)[1] for t in draft.targets)]
    for name in dict.fromkeys(names):
        if name in after.due:
            text = _("The deletion of %(name)s is pending; it happens on %(due)s.") % {
                "name": shown_address(name) if "@" in name else shown_domain(name),
                "due": date_format(localtime(after.due[name]), "j F, H:i"),
            }
            yield Finding(Weight.WARNING, "due", text)
