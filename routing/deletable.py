"""What rules tell the deletion queue and the pages of domains, and what becomes of mail once a
rule is gone."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from domains.copy import own_change, refuse_loss
from domains.dependants import register_affected, register_dependants
from domains.models import Domain, Kind
from purelymanage.core.addresses import shown_address, split_address
from purelymanage.core.errors import MissingError, RefusedError
from purelymanage.deletions.impact import Group, Impact
from purelymanage.deletions.models import DeletionKind
from purelymanage.deletions.registry import Deletable, Facts, register_deletable
from purelymanage.purelymail.client import get_client
from routing import dossiers
from routing.models import RoutingRule, RuleKind
from routing.picture import Picture, Rule, as_rule, picture_around, rule_from
from routing.services.rules import facts_of, likeness_of
from routing.tracing import trace
from routing.words import listed

NOBODYS = "~"
"""Added to a beginning, it makes an address that no rule or mailbox names."""


def register() -> None:
    """Let rules be deleted, and be named before their domain is."""
    register_deletable(
        Deletable(
            kind=DeletionKind.RULE,
            label=label_of,
            facts=facts_by_id,
            identity=identity_of,
            is_there=is_there,
            delete=delete,
            forget=forget,
            urls=dossiers.urls,
            tell=dossiers.tell,
            recreate_url=dossiers.recreate_url,
        )
    )
    register_dependants(gettext_lazy("Routing rules"), sources_on)
    register_affected(
        gettext_lazy("Rules of other domains that deliver here; they stay, and their mail bounces"),
        sources_delivering_to,
    )


def label_of(key: str) -> str:
    """Its source."""
    return shown_address(_row(key).source)


def facts_by_id(key: str) -> Facts:
    """All values: enough to know the rule again, and to make it once more."""
    row = _row(key)
    return {"source": row.source, "kind": row.kind.value, **facts_of(row)}


def identity_of(key: str) -> str:
    """PurelyMail's number, under which a rule never changes; empty where the copy lacks it."""
    return key if RoutingRule.objects.filter(purelymail_id=int(key)).exists() else ""


def is_there(key: str, facts: Facts) -> bool:
    """Whether PurelyMail has it; refuses where the number belongs to another rule by now."""
    listed = get_client().list_routing_rules()
    remote = next((one for one in listed if one.id == int(key)), None)
    if remote is None:
        others = RoutingRule.objects.exclude(purelymail_id=int(key))
        refuse_loss(Kind.RULES, listed=len(listed), held=others.count())
        return False
    if remote.likeness != likeness_of(rule_from(facts)):
        raise RefusedError(
            _("The number of %(source)s belongs to another rule by now. Nothing was deleted.")
            % {"source": shown_address(facts["source"])}
        )
    return True


def delete(key: str) -> None:
    """Have PurelyMail delete it."""
    with own_change(Kind.RULES):
        get_client().delete_routing_rule(rule_id=int(key))


def forget(key: str) -> None:
    """It is gone: take it out of the copy."""
    with own_change(Kind.RULES):
        RoutingRule.objects.filter(purelymail_id=int(key)).delete()


def impact_of(rule: RoutingRule) -> Impact:
    """Where its mail goes now, and where it will go, for the question before its deletion."""
    picture = picture_around(rule.domain.name)
    return Impact(
        [
            Group.of(
                _("Today its mail goes to"), [shown_address(t) for t in rule.targets], icon="mail"
            ),
            Group.of(_("Afterwards"), _afterwards(as_rule(rule), picture), icon="split"),
        ]
    )


def _afterwards(rule: Rule, picture: Picture) -> list[str]:
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


def sources_on(domain: Domain) -> list[str]:
    """The rules of a domain."""
    rules = domain.routing_rules.select_related("domain")
    return [rule.source for rule in rules]


def sources_delivering_to(domain: Domain) -> list[str]:
    """The rules of other domains with a target on this one."""
    rules = RoutingRule.objects.select_related("domain").exclude(domain=domain)
    return [rule.source for rule in rules.filter(targets__icontains=f'@{domain.name}"')]


def _row(key: str) -> RoutingRule:
    row = RoutingRule.objects.select_related("domain").filter(purelymail_id=int(key)).first()
    if row is None:
        raise MissingError(_("This routing rule is not there any more. Refresh the list of rules."))
    return row
