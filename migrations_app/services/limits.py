"""How many jobs run at once, changeable while they run."""

from __future__ import annotations

from audit.actions import Action
from audit.services import audited
from migrations_app import dispatch
from migrations_app.models import Limits


def change_limits(*, concurrency: int, per_source_host: int) -> Limits:
    """Set both caps; more places are filled at once, fewer take effect as jobs end."""
    limits = dispatch.limits()
    before = _facts(limits)
    limits.concurrency, limits.per_source_host = concurrency, per_source_host
    with audited(Action.LIMIT_CHANGED, target="migrations", before=before, after=_facts(limits)):
        limits.save()
        dispatch.kick()
    return limits


def _facts(limits: Limits) -> dict[str, int]:
    return {"concurrency": limits.concurrency, "per_source_host": limits.per_source_host}
