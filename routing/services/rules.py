"""Creating a rule, and what every change of one stands on: checks, facts, rows."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import audited
from domains.copy import own_change
from domains.models import Domain, Kind
from domains.services import domains_called
from purelymanage.core.addresses import shown_address, shown_domain
from purelymanage.core.errors import RefusedError
from purelymanage.deletions.models import DeletionKind
from purelymanage.deletions.selectors import pending_deletion
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.types import RemoteRule
from routing.lint import lint
from routing.models import RoutingRule, RuleEdit
from routing.picture import Rule, as_rule, picture_around, rule_from


def create_rule(*, draft: Rule) -> RoutingRule:
    """Create a rule at PurelyMail, which tells its number only when the list is read."""
    own_domain(draft.domain)
    refuse_conflict(draft)
    on_record = audited(Action.RULE_CREATED, target=draft.source, after=facts_of(draft))
    with on_record, own_change(Kind.RULES):
        return keep(send(draft))


def own_domain(name: str) -> Domain:
    """The domain, if it is one of ours."""
    domain = Domain.objects.ours().filter(name=name).first()
    if domain is None:
        raise RefusedError(
            _("%(domain)s is not one of your domains. Choose another; nothing was changed.")
            % {"domain": shown_domain(name)},
            field="domain",
        )
    return domain


def refuse_conflict(draft: Rule) -> None:
    """What PurelyMail would refuse, refused without a call."""
    if refusals := lint(draft, picture_around(draft.domain)).refusals:
        raise RefusedError(refusals[0].text)


def refuse_shared(rule: RoutingRule) -> None:
    """A rule on a domain of PurelyMail's own is not ours to exchange."""
    if rule.domain.is_shared:
        raise RefusedError(
            _("%(domain)s belongs to PurelyMail, so the rule %(source)s cannot be changed here.")
            % {"domain": shown_domain(rule.domain.name), "source": shown_address(rule.source)}
        )


def refuse_while_edited(rule: RoutingRule) -> None:
    """An edit deletes and creates: nothing else may happen to either of its rules meanwhile."""
    key = as_rule(rule).key
    for edit in RuleEdit.objects.select_related("started_by"):
        if edit.old_id == rule.purelymail_id or rule_from(edit.new).key == key:
            raise RefusedError(
                _(
                    "%(who)s is changing the rule %(source)s just now, or that change is not at "
                    "its end yet. Look at the list of rules in a few minutes; nothing was changed."
                )
                % {"who": edit.started_by or _("Somebody"), "source": shown_address(rule.source)}
            )


def refuse_pending_deletion(rule: RoutingRule) -> None:
    """A rule that is about to go is cancelled first."""
    if pending_deletion(DeletionKind.RULE, str(rule.purelymail_id)):
        raise RefusedError(
            _(
                "The deletion of %(source)s is pending. "
                "Cancel it before you edit the rule; nothing was changed."
            )
            % {"source": shown_address(rule.source)}
        )


def send(rule: Rule) -> RemoteRule:
    """Create it at PurelyMail and read it back."""
    return get_client().create_routing_rule(
        domain=rule.domain,
        match_user=rule.match_user,
        is_prefix=rule.is_prefix,
        is_catchall=rule.is_catchall,
        targets=list(rule.targets),
    )


def keep(remote: RemoteRule, *, in_place_of: int | None = None) -> RoutingRule:
    """Its row, as PurelyMail has it: that of the rule `in_place_of` which it came, if given."""
    name = remote.domain.lower()
    values = {
        "purelymail_id": remote.id,
        "domain": domains_called([name])[name],
        "match_user": remote.match_user,
        "is_prefix": remote.is_prefix,
        "is_catchall": remote.is_catchall,
        "targets": remote.targets,
    }
    with transaction.atomic():
        if in_place_of and in_place_of != remote.id:
            old = RoutingRule.objects.filter(purelymail_id=in_place_of)
            if old.exists():
                RoutingRule.objects.filter(purelymail_id=remote.id).delete()
                old.update(**values)
        row, _created = RoutingRule.objects.update_or_create(
            purelymail_id=remote.id, defaults=values
        )
    return row


def likeness_of(rule: Rule) -> tuple[object, ...]:
    """What PurelyMail's `RemoteRule.likeness` is of this rule."""
    return RemoteRule(
        0, rule.domain, rule.match_user, rule.is_prefix, rule.is_catchall, list(rule.targets)
    ).likeness


def facts_of(rule: Rule | RoutingRule) -> dict[str, Any]:
    """All values, for the audit log, the journal of edits and dossiers."""
    return {
        "domain": str(rule.domain),
        "match_user": rule.match_user,
        "is_prefix": rule.is_prefix,
        "is_catchall": rule.is_catchall,
        "targets": list(rule.targets),
    }
