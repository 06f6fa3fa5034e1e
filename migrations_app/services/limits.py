"""How many jobs run at once and how gently each source host is treated, changeable meanwhile."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import audited
from migrations_app.models import HostLimits, Limits
from migrations_app.queueing import dispatch
from purelymanage.core.errors import RefusedError

HOST_FIELDS = (
    "at_once",
    "bytes_per_second",
    "bytes_per_day",
    "per_mailbox",
    "window_from",
    "window_to",
)


def change_limits(*, concurrency: int, per_source_host: int) -> Limits:
    """Set both caps; more places are filled at once, fewer take effect as jobs end."""
    limits = dispatch.limits()
    before = _facts(limits)
    limits.concurrency, limits.per_source_host = concurrency, per_source_host
    with audited(Action.LIMIT_CHANGED, target="migrations", before=before, after=_facts(limits)):
        limits.save()
        dispatch.kick()
    return limits


def limit_host(*, host: str, **wanted: Any) -> HostLimits:
    """Treat a source host in its own way from now on; `wanted` are the `HOST_FIELDS`."""
    present = HostLimits.objects.filter(host=host).first()
    if present and not present.is_only_closed:
        raise RefusedError(
            _("%(host)s has limits already. Change them in the list.") % {"host": host},
            field="host",
        )
    facts = _host_facts(HostLimits(host=host, **wanted))
    with audited(Action.HOST_LIMITED, target=host, after=facts):
        limits, __ = HostLimits.objects.update_or_create(host=host, defaults=wanted)
    return limits


def change_host(*, limits: HostLimits, **wanted: Any) -> None:
    """Change how a host is treated: starts honour it at once, what runs keeps its bandwidth.

    A run outside of its host's hours, or over its host's budget, stops within seconds.
    """
    before = _host_facts(limits)
    for name, value in wanted.items():
        setattr(limits, name, value)
    after = _host_facts(limits)
    with audited(Action.HOST_LIMITED, target=limits.host, before=before, after=after):
        limits.save(update_fields=HOST_FIELDS)
        dispatch.kick()


def free_host(*, limits: HostLimits) -> None:
    """Treat a host as any other again; if it was closed, it is open, its failures count anew."""
    with audited(Action.HOST_FREED, target=limits.host, before=_host_facts(limits)):
        with transaction.atomic():
            limits.delete()
            if limits.closed_until:
                HostLimits.objects.create(host=limits.host, closed_until=Now())
        dispatch.kick()


def open_host(*, limits: HostLimits) -> None:
    """Let jobs read from a host again that was closed because too many failed."""
    closed = HostLimits.objects.filter(pk=limits.pk, closed_until__gt=Now())
    if not closed.exists():
        raise RefusedError(_("%(host)s is open already.") % {"host": limits.host})
    with audited(Action.HOST_OPENED, target=limits.host):
        closed.update(closed_until=Now(), closed_because="")
        dispatch.kick()


def _facts(limits: Limits) -> dict[str, int]:
    return {"concurrency": limits.concurrency, "per_source_host": limits.per_source_host}


def _host_facts(limits: HostLimits) -> dict[str, Any]:
    facts = {name: getattr(limits, name) for name in HOST_FIELDS}
    clocks = {name: facts[name] and f"{facts[name]:%H:%M}" for name in ("window_from", "window_to")}
    return facts | clocks
