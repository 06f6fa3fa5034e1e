"""What a person should look at, worst first, each with its one action."""

from __future__ import annotations

from accounts.models import User
from purelymanage.dashboard.attention import deletions, domains, panel, work
from purelymanage.dashboard.attention.item import Item
from purelymanage.dashboard.selectors import Home

SEVERITY = {"bad": 0, "warn": 1, "info": 2}


def needs_attention(home: Home, *, user: User | None = None) -> list[Item]:
    """Everything wrong, the worst first, with what `user` can do about it."""
    items = [
        *panel.audit_log(home.log_checked),
        *(deletions.alarm(raised, user) for raised in home.alarms),
        *panel.workers(home.worker_silence),
        *(panel.withdrawn_worker(host) for host in home.withdrawn_workers),
        *panel.outage(list(home.copy.values())),
        *(domains.unfinished_edit(domain) for domain in home.unfinished_edits),
        *domains.failing(home),
        *(work.failed_jobs(group) for group in home.migrations.failed_alike),
        *panel.resolver(home),
        *(work.closed_host(limits) for limits in home.closed_hosts),
        *(work.held_batch(batch) for batch in home.held_batches),
        *(work.batch(waiting) for waiting in home.batches),
        *work.app_passwords(home.app_passwords),
        *panel.truncated(list(home.copy.values())),
        *(panel.credit_low(home.credit) if home.credit else []),
        *deletions.pending(home.deletions),
        *domains.unchecked(home),
    ]
    return sorted(items, key=lambda item: SEVERITY[item.tone])
