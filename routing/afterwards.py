"""What becomes of mail once a rule is gone, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from purelymanage.core.addresses import shown_address, split_address
from routing.models import RuleKind
from routing.picture import Picture, Rule
from routing.tracing import trace
from routing.words import listed

NOBODYS = "~"
"""Added to a beginning, it makes an address that no rule or mailbox names."""


def afterwards(rule: Rule, picture: Picture) -> list[str]:
    """Where the mail that the rule takes now goes without it."""
    without = picture.without(rule.pk)
    if rule.kind == RuleKind.EXACT:
        return [_fate(rule.source, without)]
    return list(_fates(rule, picture, without))


def _fate(address: str, picture: Picture) -> str:
    words = {"address": shown_address(address)}
    way = trace(address, picture)
    if way.root.rule:
        words["rule"] = shown_address(way.root.rule.source)
        reached = listed([*way.mailboxes, *way.outside])
        if not reached:
            return _("The rule %(rule)s takes it, and nobody gets it.") % words
        return _("The rule %(rule)s takes it; it reaches %(reached)s.") % (
            words | {"reached": reached}
        )
    if way.mailboxes:
        return _("The mailbox %(address)s gets it.") % words
    return _("Nobody gets it: %(address)s has neither a mailbox nor another rule.") % words


def _fates(rule: Rule, picture: Picture, without: Picture) -> Iterator[str]:
    mailboxes = sorted(
        address
        for address in picture.mailboxes
        if split_address(address)[1] == rule.domain
        and next(iter(picture.acting_on(address)), None) == rule
        and not without.acting_on(address)
    )
    if mailboxes:
        yield ngettext(
            "%(count)d mailbox gets its own mail: %(names)s.",
            "%(count)d mailboxes get their own mail: %(names)s.",
            len(mailboxes),
        ) % {"count": len(mailboxes), "names": listed(mailboxes)}
    others = without.acting_on(f"{rule.match_user}{NOBODYS}@{rule.domain}")
    if others:
        yield _("Other addresses: the rule %(rule)s takes their mail to %(targets)s.") % {
            "rule": shown_address(others[0].source),
            "targets": listed(others[0].targets) or _("nobody"),
        }
    else:
        yield _("Mail to other addresses bounces, unless they have a mailbox or a rule.")
