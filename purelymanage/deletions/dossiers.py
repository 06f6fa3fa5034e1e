"""The part of a dossier that only PurelyMail knows, asked for until it is there."""

from __future__ import annotations

import time
from datetime import timedelta

from django.utils import timezone

from purelymanage.core.errors import MissingError, PurelyManageError, UnavailableError
from purelymanage.deletions.models import DeletionKind, PendingDeletion
from purelymanage.deletions.registry import Facts, deletable
from purelymanage.jobs.locks import only_one
from purelymanage.purelymail.errors import InvalidTokenError

PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=1)
MOST_DOUBLINGS = 10
BATCH = 50
SECONDS = 240
"""One run ends before the next is due; what is left waits for that."""


def complete_dossiers() -> int:
    """Ask PurelyMail about every pending deletion that is due; gives how many are complete now.

    One at a time on all hosts. While PurelyMail does not answer, one question is enough.
    """
    with only_one("deletions.dossiers", seconds=2 * SECONDS) as alone:
        return _complete_due() if alone else 0


def _complete_due() -> int:
    completed = 0
    give_up = time.monotonic() + SECONDS
    while rows := list(PendingDeletion.objects.dossier_due()[:BATCH]):
        for deletion in rows:
            if time.monotonic() > give_up:
                return completed
            _note_try(deletion)
            try:
                facts = _facts_there(deletion)
            except (UnavailableError, InvalidTokenError):
                return completed
            except PurelyManageError:
                continue
            completed += _complete(deletion, facts)
    return completed


def _facts_there(deletion: PendingDeletion) -> Facts:
    there = deletable(DeletionKind(deletion.kind)).facts_there
    if there is None:
        return {}
    try:
        return there(deletion.key)
    except MissingError as error:  # nothing is left that could be told
        return {"missing": error.message}


def _complete(deletion: PendingDeletion, facts: Facts) -> int:
    """Only while it is pending: an ended deletion keeps the dossier it ended with."""
    row = PendingDeletion.objects.without_dossier().filter(pk=deletion.pk)
    return row.update(dossier=deletion.dossier | facts, dossier_read_at=timezone.now())


def _note_try(deletion: PendingDeletion) -> None:
    """Before it is made, so that one that crashes does not stand before all others for ever."""
    pause = min(PAUSE * 2 ** min(deletion.dossier_tries, MOST_DOUBLINGS), LONGEST_PAUSE)
    PendingDeletion.objects.filter(pk=deletion.pk).update(
        dossier_tries=deletion.dossier_tries + 1, dossier_try_after=timezone.now() + pause
    )
