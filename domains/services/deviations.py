"""Records that differ on purpose: accepted with a reason, and taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import audited
from domains import tiers
from domains.checks import DIFFERS
from domains.models import Deviation, DnsRecord, Domain
from purelymanage.core.addresses import shown_domain
from purelymanage.core.context import current_actor
from purelymanage.core.errors import InvalidError, MissingError, RefusedError

MAX_REASON = 500


def accept_deviation(
    *,
    domain: Domain,
    key: str,
    reason: str,
    until: date | None = None,
    seen: Sequence[str] | None = None,
) -> Deviation:
    """Let a record differ as it does now, for the reason given; it counts as healthy from here.

    `seen`: the values that whoever accepts was shown; others are refused.
    """
    reason = reason.strip()
    if not reason:
        raise InvalidError(_("Say why this record differs."), field="reason")
    if len(reason) > MAX_REASON:
        raise InvalidError(
            _("The reason has %(size)d characters; %(most)d fit.")
            % {"size": len(reason), "most": MAX_REASON},
            field="reason",
        )
    if until and until < timezone.localdate():
        raise InvalidError(_("This day is over. Choose a later one, or none."), field="until")
    row = _record_that_differs(domain, key)
    if seen is not None and set(seen) != set(row.found):
        raise RefusedError(
            _(
                "DNS has changed since you opened this page. Look at what is found now, and accept"
                " that if it is meant so."
            )
        )
    actor = current_actor()
    facts = {"found": row.found, "reason": reason, "until": until.isoformat() if until else None}
    with audited(Action.DEVIATION_ACCEPTED, target=_target(domain, row), after=facts):
        deviation, _created = Deviation.objects.update_or_create(
            domain=domain,
            key=row.key,
            defaults={
                "found": row.found,
                "reason": reason,
                "accepted_by_id": actor.user_id,
                "accepted_by_name": actor.name[:254],
                "accepted_at": timezone.now(),
                "until": until,
            },
        )
        tiers.recount([domain])
    return deviation


def withdraw_deviation(*, domain: Domain, key: str) -> None:
    """Count a record that differs as wrong again."""
    deviation = Deviation.objects.filter(domain=domain, key=key).first()
    if deviation is None:
        raise MissingError(
            _("This record of %(name)s is not accepted any more.")
            % {"name": shown_domain(domain.name)}
        )
    facts = {"found": deviation.found, "reason": deviation.reason}
    with audited(Action.DEVIATION_WITHDRAWN, target=_target(domain, deviation), before=facts):
        deviation.delete()
        tiers.recount([domain])


def _record_that_differs(domain: Domain, key: str) -> DnsRecord:
    row = DnsRecord.objects.filter(domain=domain, key=key).first()
    name = shown_domain(domain.name)
    if row is None:
        raise RefusedError(
            _("This record of %(name)s was not looked up yet. Look it up first.") % {"name": name}
        )
    facts = {"label": row.get_key_display(), "name": name}
    if row.shown_state in DIFFERS:
        return row
    if row.is_answered and row.found:
        raise RefusedError(_("“%(label)s” of %(name)s is right: nothing to accept.") % facts)
    raise RefusedError(
        _(
            "DNS gave no answer about “%(label)s” of %(name)s, so what would be accepted is not"
            " known. Try again once there is an answer."
        )
        % facts
    )


def _target(domain: Domain, record: DnsRecord | Deviation) -> str:
    return f"{domain.name}: {record.get_key_display()}"
