"""Which parts of the copy are due: often where somebody looks, seldom where nobody does.

The reasons, and what it costs, are in docs/adr/0005-call-budget.md.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from domains.models import Kind, SyncState
from domains.selectors import copy_state

TICK = timedelta(minutes=5)
OFTEN = timedelta(minutes=15)
SELDOM = timedelta(hours=1)
LATELY = timedelta(hours=1)
VIEW_NOTED = timedelta(minutes=5)
IN_DEMAND = (Kind.DOMAINS, Kind.MAILBOXES, Kind.RULES)
"""The lists people look at; credit and ownership code keep their own pace."""


def viewed(kind: Kind) -> SyncState:
    """How fresh this part is, for a page on which somebody looks at it; that is noted."""
    state = copy_state(kind)
    now = timezone.now()
    is_noted = state.viewed_at and state.viewed_at >= now - VIEW_NOTED
    if state.tried_at and not is_noted:  # what was never read is due anyway
        SyncState.objects.filter(pk=kind).update(viewed_at=now)
    return state


def due() -> list[Kind]:
    """The parts whose time has come."""
    states = {state.name: state for state in SyncState.objects.all()}
    now = timezone.now()
    return [kind for kind in Kind if _is_due(kind, states.get(kind), now)]


def _is_due(kind: Kind, state: SyncState | None, now: datetime) -> bool:
    """Half a tick early counts as in time: no tick comes to the second."""
    if state is None or state.tried_at is None:
        return True
    return now - state.tried_at >= _interval(kind, state, now) - TICK / 2


def _interval(kind: Kind, state: SyncState, now: datetime) -> timedelta:
    if state.failed_since:
        return OFTEN
    if kind == Kind.OWNERSHIP:
        return timedelta(days=2)  # every night has it read; this is for nights when nobody was up
    wanted = (state.viewed_at, state.changed_at) if kind in IN_DEMAND else ()
    return OFTEN if any(at and at > now - LATELY for at in wanted) else SELDOM
