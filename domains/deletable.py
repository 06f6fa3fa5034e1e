"""How a domain is deleted: what it is called, and what is kept of it in the dossier."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _

from domains import dossiers
from domains.copy import own_change, refuse_loss
from domains.dependants import affected_by, names_of
from domains.models import Domain, Kind
from domains.services.copies import SETTINGS
from purelymanage.core.addresses import shown_domain
from purelymanage.core.errors import MissingError, RefusedError
from purelymanage.deletions.models import DeletionKind
from purelymanage.deletions.registry import Deletable, Facts
from purelymanage.purelymail.client import get_client


def _domain(name: str) -> Domain:
    domain = Domain.objects.filter(name=name).first()
    if domain is None:
        raise MissingError(
            _("%(domain)s is not managed here any more. Refresh the list of domains.")
            % {"domain": shown_domain(name)}
        )
    if domain.is_shared:
        raise _not_ours(name)
    return domain


def _not_ours(name: str) -> RefusedError:
    return RefusedError(
        _("%(domain)s belongs to PurelyMail and cannot be deleted here.")
        % {"domain": shown_domain(name)}
    )


def _label(name: str) -> str:
    return shown_domain(_domain(name).name)


def _facts(name: str) -> Facts:
    """What it takes to set the domain up again, and everything that goes with it."""
    domain = _domain(name)
    return {
        "settings": {setting: getattr(domain, setting) for setting in SETTINGS},
        "verdicts": {verdict.name: verdict.passes for verdict in domain.verdicts},
        "dependants": names_of(domain),
        "affected": affected_by(domain),
    }


def _identity(name: str) -> str:
    """Its row in the copy, which one that was added anew does not keep."""
    return str(Domain.objects.filter(name=name).values_list("pk", flat=True).first() or "")


def _is_there(name: str, _facts: Facts) -> bool:
    """There is no question about one domain, so a list that lost many of them proves nothing."""
    listed = get_client().list_domains()
    found = next((domain for domain in listed if domain.name.lower() == name), None)
    if found:
        if found.is_shared:
            raise _not_ours(name)
        return True
    others = Domain.objects.ours().exclude(name=name)
    refuse_loss(Kind.DOMAINS, listed=len(listed), held=others.count())
    return False


def _delete(name: str) -> None:
    with _our_change():
        get_client().delete_domain(name=name)


def _forget(name: str) -> None:
    """PurelyMail takes its mailboxes and rules along, and so does our row."""
    with _our_change():
        Domain.objects.filter(name=name).delete()


@contextmanager
def _our_change() -> Iterator[None]:
    with own_change(Kind.DOMAINS), own_change(Kind.MAILBOXES), own_change(Kind.RULES):
        yield


DOMAIN = Deletable(
    kind=DeletionKind.DOMAIN,
    label=_label,
    facts=_facts,
    identity=_identity,
    is_there=_is_there,
    delete=_delete,
    forget=_forget,
    urls=dossiers.urls,
    tell=dossiers.tell,
    recreate_url=dossiers.recreate_url,
)
