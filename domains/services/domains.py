"""What can happen to a domain itself."""

from __future__ import annotations

import logging

from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import audited
from domains import dns
from domains.changes import verdicts_watched
from domains.copy import own_change
from domains.models import Domain, Kind
from domains.records import Finding
from domains.services.account import ownership_code
from domains.services.copies import SETTINGS, TOLD, request_refresh, told
from purelymanage.core.addresses import shown_domain
from purelymanage.core.errors import PurelyManageError, RefusedError
from purelymanage.jobs.queue import enqueue
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import DomainExistsError, OwnershipError, UnknownOutcomeError
from purelymanage.purelymail.types import RemoteDomain

logger = logging.getLogger(__name__)

PURELYMAILS_OWN = {
    "purelymail.com",
    "cheapermail.com",
    "placeq.com",
    "rethinkmail.com",
    "worldofmail.com",
}
"""Those named in public; others show as shared once a mailbox stands on them."""


def look_for_ownership(*, name: str) -> Finding:
    """Whether DNS shows the account's ownership record, asked now; refuses what cannot be added."""
    _refuse_known(name)
    code = ownership_code()
    if not code:
        raise RefusedError(
            _("The ownership code is not known yet: read it first, then look for it.")
        )
    return dns.look_for_ownership(name, ownership_code=code)


def add_domain(*, name: str) -> Domain:
    """Add a domain to PurelyMail and begin watching its DNS."""
    _refuse_known(name)
    with audited(Action.DOMAIN_ADDED, target=name), own_change(Kind.DOMAINS):
        try:
            get_client().add_domain(name=name)
        except OwnershipError as error:
            raise RefusedError(_not_seen_there(name), field="name") from error
        except DomainExistsError as error:
            request_refresh()
            raise RefusedError(_added_elsewhere(name), field="name") from error
        facts = _told_of_new(name) | {"recheck_wanted_at": timezone.now()}
        domain, _created = Domain.objects.update_or_create(name=name, defaults=facts)
        enqueue("domains.tasks.recheck_due")
        enqueue("domains.tasks.look_up_due")
    return domain


def _refuse_known(name: str) -> None:
    """Neither what is here already nor what is PurelyMail's."""
    known = Domain.objects.filter(name=name).first()
    words = {"domain": shown_domain(name)}
    if name in PURELYMAILS_OWN or (known and known.is_shared):
        message = _("%(domain)s belongs to PurelyMail. Add a domain of your own.")
        raise RefusedError(message % words, field="name")
    if known:
        raise RefusedError(_("%(domain)s is managed here already.") % words, field="name")


def _told_of_new(name: str) -> dict[str, bool]:
    """What PurelyMail says of a domain it has just added, or its defaults if it does not answer."""
    try:
        remote = _listed(name)
    except PurelyManageError as error:
        logger.warning("Could not read back %s: %s", name, error)
        return {"is_shared": False, "allow_account_reset": True, "symbolic_subaddressing": True}
    if remote is None:
        raise UnknownOutcomeError(
            _(
                "PurelyMail said that it added %(domain)s, but does not list it. "
                "Refresh the list of domains before you try again."
            )
            % {"domain": shown_domain(name)}
        )
    return told(remote)


def _not_seen_there(name: str) -> str:
    return _(
        "PurelyMail does not see the ownership record at %(domain)s yet, so nothing was added. "
        "It needs the TXT record shown above at exactly that name. DNS changes take time, up to "
        "24 hours where an older answer is remembered: keep the record and try again later."
    ) % {"domain": shown_domain(name)}


def _added_elsewhere(name: str) -> str:
    return _(
        "%(domain)s is on the PurelyMail account already, added outside this panel. "
        "The list of domains is being refreshed; it appears there in a moment."
    ) % {"domain": shown_domain(name)}


def change_settings(
    *,
    domain: Domain,
    allow_account_reset: bool | None = None,
    symbolic_subaddressing: bool | None = None,
) -> None:
    """Change a domain's settings at PurelyMail; the row then says what PurelyMail says."""
    if domain.is_shared:
        raise RefusedError(
            _("%(domain)s belongs to PurelyMail; its settings are not yours to change.")
            % {"domain": shown_domain(domain.name)}
        )
    given = (allow_account_reset, symbolic_subaddressing)
    wanted = {name: value for name, value in zip(SETTINGS, given, strict=True) if value is not None}
    before = {name: getattr(domain, name) for name in wanted}
    with (
        audited(Action.DOMAIN_CHANGED, target=domain, before=before, after=wanted),
        own_change(Kind.DOMAINS),
    ):
        get_client().update_domain_settings(name=domain.name, **wanted)
        for name, value in (wanted | _told_of(domain.name)).items():
            setattr(domain, name, value)
        with verdicts_watched():
            domain.save(update_fields=TOLD)
        _refuse_unchanged(domain, wanted)


def _told_of(name: str) -> dict[str, bool]:
    """What PurelyMail now says of a domain it has just changed; nothing if it does not answer."""
    try:
        remote = _listed(name)
    except PurelyManageError as error:
        logger.warning("Could not read back %s: %s", name, error)
        return {}
    if remote is None:
        raise RefusedError(
            _(
                "%(domain)s is not on the PurelyMail account any more, so nothing was changed. "
                "Refresh the list of domains."
            )
            % {"domain": shown_domain(name)}
        )
    return told(remote)


def _refuse_unchanged(domain: Domain, wanted: dict[str, bool]) -> None:
    """PurelyMail says yes to more than it does."""
    if any(getattr(domain, name) != value for name, value in wanted.items()):
        raise RefusedError(
            _(
                "PurelyMail accepted the change of %(domain)s but still shows the old setting. "
                "You see what it shows; try again in a moment."
            )
            % {"domain": shown_domain(domain.name)}
        )


def _listed(name: str) -> RemoteDomain | None:
    """The domain as PurelyMail lists it; there is no operation for one alone."""
    domains = get_client().list_domains()
    return next((domain for domain in domains if domain.name.lower() == name), None)
