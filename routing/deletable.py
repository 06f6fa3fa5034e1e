"""What rules tell the deletion queue and the pages of domains."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from domains.dependants import register_dependants
from domains.models import Domain
from purelymanage.core.addresses import shown_address
from purelymanage.core.errors import MissingError
from purelymanage.deletions.impact import Group, Impact
from purelymanage.deletions.models import DeletionKind
from purelymanage.deletions.registry import Deletable, Facts, register_deletable
from routing.afterwards import afterwards
from routing.models import RoutingRule
from routing.pictures import as_rule, picture_around
from routing.services.rules import facts_of


def register() -> None:
    """Let rules be deleted, and be named before their domain is."""
    register_deletable(Deletable(kind=DeletionKind.RULE, label=label_of, facts=facts_by_id))
    register_dependants(gettext_lazy("Routing rules"), sources_on)


def label_of(key: str) -> str:
    """Its source."""
    return shown_address(_row(key).source)


def facts_by_id(key: str) -> Facts:
    """All values: enough to know the rule again, and to make it once more."""
    row = _row(key)
    return {"source": row.source, "kind": row.kind.value, **facts_of(row)}


def impact_of(rule: RoutingRule) -> Impact:
    """Where its mail goes now, and where it will go, for the question before its deletion."""
    picture = picture_around(rule.domain.name)
    return Impact(
        [
            Group.of(
                _("Today its mail goes to"), [shown_address(t) for t in rule.targets], icon="mail"
            ),
            Group.of(_("Afterwards"), afterwards(as_rule(rule), picture), icon="split"),
        ]
    )


def sources_on(domain: Domain) -> list[str]:
    """The rules of a domain."""
    rules = domain.routing_rules.select_related("domain")
    return [rule.source for rule in rules]


def _row(key: str) -> RoutingRule:
    row = RoutingRule.objects.select_related("domain").filter(purelymail_id=int(key)).first()
    if row is None:
        raise MissingError(_("This routing rule is not there any more. Refresh the list of rules."))
    return row
