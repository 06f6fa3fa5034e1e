"""A trace in words: a line for each address, and what it comes to in the end."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from purelymanage.core.addresses import shown_address
from routing.models import RuleKind
from routing.picture import Rule
from routing.tracing import Ending, Step, Trace
from routing.words import listed, rules_named


@dataclass(frozen=True)
class Told:
    """One step of a trace, ready for a page."""

    address: str
    tone: str
    icon: str
    words: list[str]
    source: str
    """Of the winning rule, for a link to it."""
    steps: list[Told]


@dataclass(frozen=True)
class Verdict:
    """One sentence on how it ends."""

    tone: str
    text: str


ICONS = {
    Ending.MAILBOX: ("ok", "mail"),
    Ending.OUTSIDE: ("info", "arrow-right"),
    Ending.NOBODY: ("bad", "circle-x"),
    Ending.LOOP: ("warn", "triangle-alert"),
    Ending.AGAIN: ("idle", "arrow-up"),
    Ending.TOO_LONG: ("warn", "triangle-alert"),
    Ending.ROUTED: ("idle", "split"),
}


def tell(step: Step) -> Told:
    """One step and all below it."""
    if step.rule and step.steps and step.rule.targets == (step.address,):
        return _tell_itself(step, step.rule)
    tone, icon = ICONS[step.ending]
    return Told(
        address=step.address,
        tone=tone,
        icon=icon,
        words=[words for words in (_why(step), _behind(step), _muted(step), _rest(step)) if words],
        source=step.rule.source if step.rule else "",
        steps=[tell(below) for below in step.steps],
    )


def _tell_itself(step: Step, rule: Rule) -> Told:
    """A rule that sends an address to itself: one line, not two."""
    (ending,) = step.steps
    tone, icon = ICONS[ending.ending]
    words = [_("The rule sends it to itself."), _ending(ending)]
    if ending.ending == Ending.NOBODY:
        words = [_("The rule sends it to itself, and no mailbox has this address: it bounces.")]
    return Told(step.address, tone, icon, words, rule.source, [])


def verdicts(way: Trace) -> list[Verdict]:
    """Who gets it in the end, and what goes wrong."""
    said = []
    reached = [*way.mailboxes, *way.outside]
    if reached:
        text = ngettext("%(names)s gets it.", "%(names)s get it.", len(reached))
        said.append(Verdict("ok", text % {"names": listed(reached, most=10)}))
    elif not way.is_cut:
        said.append(Verdict("bad", _("Nobody gets it.")))
    if way.nobody and reached:
        text = _("It bounces at %(names)s.") % {"names": listed(way.nobody)}
        said.append(Verdict("bad", text))
    for circle in way.loops:
        turn = " → ".join(map(shown_address, [*circle, circle[0]]))
        text = _("It goes in a circle: %(turn)s. PurelyMail cuts it after some hops.")
        said.append(Verdict("warn", text % {"turn": turn}))
    if way.is_cut:
        said.append(Verdict("warn", _("It goes on further than is followed here.")))
    return said


def _why(step: Step) -> str:
    rule = step.rule
    if step.ending == Ending.TOO_LONG:
        return _("Too many hops: PurelyMail stops after some, how many is not known.")
    if rule and not rule.targets:
        return _("The rule has no target: nobody gets it.")
    if rule is None:
        return _ending(step)
    if rule.kind == RuleKind.EXACT:
        return _("This rule is for exactly this address.")
    if rule.kind == RuleKind.PREFIX:
        words = {"start": rule.match_user}
        return _("No rule is nearer: the address begins with “%(start)s”.") % words
    if rule.kind == RuleKind.CATCH_ALL:
        return _("No mailbox and no nearer rule has this address, so the catch-all takes it.")
    return _("No rule is nearer, so the rule for any address takes it.")


def _ending(step: Step) -> str:
    if step.ending == Ending.MAILBOX:
        return _("A mailbox of yours gets it.")
    if step.ending == Ending.OUTSIDE:
        return _("Not a domain of yours: it is sent to that domain's mail server.")
    if step.ending == Ending.LOOP:
        return _("It has been here before: a circle, cut by PurelyMail after some hops.")
    if step.ending == Ending.AGAIN:
        return _("Followed above already.")
    return _("Neither a mailbox nor a rule: it bounces.")


def _behind(step: Step) -> str:
    if not step.beaten:
        return ""
    text = ngettext(
        "It comes before %(names)s, which matches too.",
        "It comes before %(names)s, which match too.",
        len(step.beaten),
    )
    return text % {"names": rules_named(step.beaten)}


def _muted(step: Step) -> str:
    if not step.mute:
        return ""
    text = ngettext(
        "The rule %(names)s never matches, because symbolic subaddressing is on.",
        "The rules %(names)s never match, because symbolic subaddressing is on.",
        len(step.mute),
    )
    return text % {"names": rules_named(step.mute)}


def _rest(step: Step) -> str:
    if not step.hidden:
        return ""
    return ngettext(
        "%(count)d more target is not followed here.",
        "%(count)d more targets are not followed here.",
        step.hidden,
    ) % {"count": step.hidden}
