"""Addresses and their effects in words, for sentences on pages and in messages."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from purelymanage.core.addresses import shown_address, shown_domain
from routing.models import RuleKind
from routing.picture import Picture, Rule

NAMED = 5


def listed(names: Collection[str], *, most: int = NAMED) -> str:
    """`a, b and c`; beyond `most`: `a, b, c, d, e and 7 more`."""
    shown = [shown_address(name) for name in names][:most]
    rest = len(names) - len(shown)
    if rest:
        more = ngettext("%(count)d more", "%(count)d more", rest) % {"count": rest}
        shown.append(more)
    if len(shown) < 2:
        return "".join(shown)
    return _("%(first)s and %(last)s") % {"first": ", ".join(shown[:-1]), "last": shown[-1]}


def rules_named(rules: Sequence[Rule]) -> str:
    """The sources of rules."""
    return listed([rule.source for rule in rules])


def sentence(rule: Rule, picture: Picture) -> str:
    """What a rule does, and what becomes of the mailbox it is named after."""
    targets = {"targets": listed(rule.targets) or _("nobody")}
    domain = {"domain": shown_domain(rule.domain)}
    if rule.kind == RuleKind.CATCH_ALL:
        return _(
            "Mail to addresses of %(domain)s that have neither a mailbox nor a rule of their own "
            "goes to %(targets)s. Mailboxes keep their mail."
        ) % (domain | targets)
    if rule.kind == RuleKind.ANY:
        return _(
            "Mail to every address of %(domain)s goes to %(targets)s, also where the address has "
            "a mailbox. Rules for an address or a prefix come first."
        ) % (domain | targets)
    if rule.kind == RuleKind.PREFIX:
        return _(
            "Mail to every address of %(domain)s that begins with “%(start)s” goes to %(targets)s."
        ) % (domain | targets | {"start": rule.match_user})
    source = {"source": shown_address(rule.source)}
    said = _("Mail to %(source)s goes to %(targets)s.") % (source | targets)
    if rule.source not in picture.mailboxes or picture.is_mute(rule):
        return said
    if rule.source in rule.targets:
        return said + " " + _("The mailbox %(source)s keeps receiving.") % source
    return said + " " + _("The mailbox %(source)s stops receiving.") % source
