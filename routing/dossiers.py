"""The dossier of a deleted rule: in words, and as what the form for a new rule begins with."""

from __future__ import annotations

from collections.abc import Collection

from django.urls import reverse
from django.utils.translation import gettext as _

from domains.models import Domain
from purelymanage.core.addresses import shown_address, shown_domain
from purelymanage.deletions.models import PendingDeletion
from purelymanage.deletions.registry import Facts
from purelymanage.deletions.telling import Section
from routing.models import RoutingRule, RuleKind, kind_of


def urls(keys: Collection[str]) -> dict[str, str]:
    """Rules have no page but the one to edit them."""
    rules = RoutingRule.objects.filter(purelymail_id__in=[int(key) for key in keys])
    return {
        str(number): reverse("routing:edit", args=[pk])
        for pk, number in rules.values_list("pk", "purelymail_id")
    }


def tell(facts: Facts) -> list[Section]:
    """In human words."""
    targets = [shown_address(target) for target in facts.get("targets", [])]
    if not facts.get("domain"):
        return []
    return [
        Section(
            _("The rule"),
            pairs=[
                (_("Source"), shown_address(facts.get("source", ""))),
                (_("Which mail"), str(_kind(facts).label)),
                (_("Domain"), shown_domain(facts["domain"])),
            ],
        ),
        Section(_("Goes to"), items=targets, icon="mail", none=_("Nobody.")),
    ]


def recreate_url(deletion: PendingDeletion) -> str:
    """The form for a new rule. The targets may be too many for an address, so it reads them."""
    return f"{reverse('routing:add')}?deletion={deletion.pk}"


def typed(facts: Facts) -> dict[str, str]:
    """What an admin would have typed to make this rule."""
    return {
        "kind": _kind(facts),
        "match": facts["match_user"],
        "domain": facts["domain"],
        "targets": "\n".join(facts["targets"]),
    }


def is_domain_ours(facts: Facts) -> bool:
    """Whether the rule's domain is there to make it on."""
    return Domain.objects.ours().filter(name=facts["domain"]).exists()


def _kind(facts: Facts) -> RuleKind:
    return kind_of(
        facts["match_user"], is_prefix=facts["is_prefix"], is_catchall=facts["is_catchall"]
    )
