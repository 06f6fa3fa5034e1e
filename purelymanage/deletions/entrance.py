"""The one lock under which deletions are queued, and under which a freeze empties the queue."""

from __future__ import annotations

from django.utils.translation import gettext as _

from purelymanage.core.context import current_actor
from purelymanage.core.errors import RefusedError
from purelymanage.core.locks import lock_transaction

QUEUE = "deletions.queue"


def enter_queue() -> None:
    """Hold the queue until the current transaction ends, or refuse who may not act any more.

    Asked under the lock: a request that was under way when a freeze ended its session comes in
    before it, and what it queued is cancelled with the rest, or after it, and is refused.
    """
    lock_transaction(QUEUE)
    if not current_actor().may_act():
        raise RefusedError(
            _(
                "This was stopped meanwhile: you were signed out, or the bulk work was cancelled. "
                "Nothing was changed."
            )
        )
