"""How a domain is deleted: what it is called, and what is kept of it in the dossier."""

from __future__ import annotations

from django.utils.translation import gettext as _

from domains.dependants import names_of
from domains.models import Domain
from domains.services.copies import SETTINGS
from purelymanage.core.addresses import shown_domain
from purelymanage.core.errors import MissingError, RefusedError
from purelymanage.deletions.models import DeletionKind
from purelymanage.deletions.registry import Deletable, Facts


def _domain(name: str) -> Domain:
    domain = Domain.objects.filter(name=name).first()
    if domain is None:
        raise MissingError(
            _("%(domain)s is not managed here any more. Refresh the list of domains.")
            % {"domain": shown_domain(name)}
        )
    if domain.is_shared:
        raise RefusedError(
            _("%(domain)s belongs to PurelyMail and cannot be deleted here.")
            % {"domain": shown_domain(name)}
        )
    return domain


def _label(name: str) -> str:
    return shown_domain(_domain(name).name)


def _facts(name: str) -> Facts:
    """What it takes to set the domain up again, and everything that goes with it."""
    domain = _domain(name)
    return {
        "settings": {setting: getattr(domain, setting) for setting in SETTINGS},
        "verdicts": {verdict.name: verdict.passes for verdict in domain.verdicts},
        "dependants": names_of(domain),
    }


DOMAIN = Deletable(kind=DeletionKind.DOMAIN, label=_label, facts=_facts)
