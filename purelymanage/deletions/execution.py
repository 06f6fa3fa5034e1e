"""Executes the deletions whose time has come: each once, and none that is not the one meant.

A try is held by a token and a lease on the database's clock, taken with one UPDATE, so that any
number of workers share what is due. `called_at` is committed under that token before PurelyMail is
told to delete: who lost the lease meanwhile deletes nothing, and who comes later knows that it may
be gone already. So every try begins with the question whether it is still there.
"""

from __future__ import annotations

import logging
import time
import uuid
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, F, QuerySet, Value, When
from django.db.models.functions import Coalesce, Least
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.actions import Action
from audit.services import audited, record
from purelymanage.core.addresses import shown_domain, split_address
from purelymanage.core.context import SYSTEM, acting_as
from purelymanage.core.errors import PurelyManageError, RefusedError, UnavailableError
from purelymanage.deletions import notices
from purelymanage.deletions.models import DeletionKind, DeletionState, Freeze, PendingDeletion
from purelymanage.deletions.registry import Deletable, deletable
from purelymanage.jobs.clock import seconds_from_now
from purelymanage.purelymail.errors import ApiRefusedError, InvalidTokenError

logger = logging.getLogger(__name__)

RUN_SECONDS = 50.0
"""After so long a run begins no further try: the next one is due."""
LEASE_SECONDS = 600.0
"""Longer than all calls after the claim or the last renewal can take, however slowly PurelyMail
answers: a question up to 90 seconds, a deletion with its reading back up to 450."""
FIRST_PAUSE, LONGEST_PAUSE = 60.0, 3600.0
MOST_DOUBLINGS = 6
GIVE_UP_AFTER = timedelta(hours=24)
CANDIDATES = 20
KEPT_ON_RECORD = 20
MAX_TEXT = 500

RELEASED: dict[str, Any] = {"token": None, "lease_until": None}


class LostError(Exception):
    """Not ours to delete any more: the lease ran out, or the deletion was cancelled or frozen."""


class AnotherError(RefusedError):
    """What is there by now may be another one than was meant."""


class UnfinishedError(UnavailableError):
    """This deletion is not at its end, which says nothing about the others."""


def run_due(*, seconds: float = RUN_SECONDS) -> list[PendingDeletion]:
    """Try the deletions that are due, and give those that were tried as they stand now.

    While PurelyMail does not answer, one question is enough: the others keep their turn. Admins
    are told of those that failed, now and in earlier runs whose mail was not taken.
    """
    tried = []
    stop_at = time.monotonic() + seconds
    with acting_as(SYSTEM):
        while time.monotonic() < stop_at and (deletion := _claim()):
            tried.append(deletion)
            if not _try(deletion):
                break
    for deletion in tried:
        deletion.refresh_from_db()
    notices.tell_of_failures()
    return tried


def _claim() -> PendingDeletion | None:
    """Take the first that nobody else takes at this moment."""
    died = _("The worker ended in the middle of a try.")
    for pk in PendingDeletion.objects.due().values_list("pk", flat=True)[:CANDIDATES]:
        token = uuid.uuid4()
        still_due = PendingDeletion.objects.due().filter(pk=pk)
        if still_due.update(
            token=token,
            lease_until=seconds_from_now(LEASE_SECONDS),
            tries=F("tries") + 1,
            first_tried_at=Coalesce("first_tried_at", seconds_from_now(0)),
            problem=Case(When(token=None, then=F("problem")), default=Value(died)),
        ):
            return PendingDeletion.objects.filter(pk=pk, token=token).first()
    return None


def _mine(deletion: PendingDeletion) -> QuerySet[PendingDeletion]:
    return PendingDeletion.objects.pending().filter(pk=deletion.pk, token=deletion.token)


def _try(deletion: PendingDeletion) -> bool:
    """However it ends, the row says so. False where PurelyMail answers nobody at the moment."""
    try:
        _execute(deletion)
    except LostError:
        logger.warning("Deletion %s was taken from this worker, which left it.", deletion.pk)
    except AnotherError as error:
        _fail(deletion, error.message)
    except UnfinishedError as error:
        _put_off(deletion, error.message)
    except (UnavailableError, InvalidTokenError) as error:
        _put_off(deletion, error.message, pause=getattr(error, "retry_after", 0.0))
        return False
    except PurelyManageError as error:
        _put_off(deletion, error.message)
    except Exception as error:
        logger.exception("Deletion %s met an unexpected error.", deletion.pk)
        kind = type(error).__name__
        _put_off(deletion, _("The panel failed at it (%(kind)s); see its log.") % {"kind": kind})
    return True


def _execute(deletion: PendingDeletion) -> None:
    resource = deletable(DeletionKind(deletion.kind))
    if not _is_there(resource, deletion):
        _end_gone(resource, deletion)
        return
    if _is_frozen(deletion):
        return
    _refuse_another(resource, deletion)
    _note_call(deletion)
    asked = {"requested_by": deletion.requested_by_name, "requested_at": deletion.requested_at}
    kept = _worth_keeping(deletion)
    with audited(Action.DELETION_EXECUTED, target=deletion.label, before=kept, after=asked):
        resource.delete(deletion.key)
        if resource.is_there(deletion.key, deletion.dossier):
            raise UnfinishedError(_("PurelyMail said that it deleted it, but still has it."))
        resource.forget(deletion.key)
        _end(deletion)


def _is_there(resource: Deletable, deletion: PendingDeletion) -> bool:
    try:
        return resource.is_there(deletion.key, deletion.dossier)
    except ApiRefusedError:  # PurelyMail's no, not the kind's
        raise
    except RefusedError as error:
        raise AnotherError(error.message) from None


def _is_frozen(deletion: PendingDeletion) -> bool:
    """Keep it where a freeze came during a try: that one could not be stopped, this one can."""
    freeze = Freeze.objects.filter(deletions__in=_mine(deletion)).first()
    if freeze is None:
        return False
    with transaction.atomic():
        if _mine(deletion).update(
            state=DeletionState.CANCELLED,
            ended_at=seconds_from_now(0),
            ended_by_name=freeze.frozen_by_name,
            note=freeze.note,
            problem="",
            **RELEASED,
        ):
            record(Action.DELETION_CANCELLED, target=deletion.label, after={"note": freeze.note})
    return True


def _refuse_another(resource: Deletable, deletion: PendingDeletion) -> None:
    """Only what the copy has known all the time is the one that was meant."""
    known_by = resource.identity(deletion.key)
    if not known_by:
        raise UnfinishedError(
            _("PurelyMail has it, but the local copy of it does not. Nothing was deleted so far.")
        )
    if known_by != deletion.identity:
        raise AnotherError(
            _(
                "It vanished from PurelyMail and came back, so it may be another one than was "
                "meant. What is there now was not deleted."
            )
        )


def _note_call(deletion: PendingDeletion) -> None:
    """The last thing before the call: from here on it may be gone, and only if it is still ours."""
    ours = _mine(deletion).filter(lease_until__gt=seconds_from_now(0), freeze=None)
    if not ours.update(
        called_at=Coalesce("called_at", seconds_from_now(0)),
        lease_until=seconds_from_now(LEASE_SECONDS),
    ):
        raise LostError
    deletion.called_at = deletion.called_at or timezone.now()


def _end_gone(resource: Deletable, deletion: PendingDeletion) -> None:
    note = _why_gone(deletion)
    action = Action.DELETION_EXECUTED if deletion.called_at else Action.DELETION_FOUND_GONE
    with audited(action, target=deletion.label, after={"note": note}):
        resource.forget(deletion.key)
        _end(deletion, note=note)


def _why_gone(deletion: PendingDeletion) -> str:
    if deletion.called_at:
        return _("An earlier try told PurelyMail to delete it, and now it is gone.")
    went_along = _deletion_of_its_domain(deletion)
    if went_along:
        return _("It went with its domain %(domain)s, whose deletion %(who)s asked for.") % {
            "domain": shown_domain(went_along.key),
            "who": went_along.requested_by_name,
        }
    return _("It was gone already: PurelyMail did not have it any more when its time came.")


def _deletion_of_its_domain(deletion: PendingDeletion) -> PendingDeletion | None:
    """That of the domain of a mailbox, by its address, or of a rule, by its dossier."""
    domain = deletion.dossier.get("domain") or split_address(deletion.key)[1]
    executed = PendingDeletion.objects.filter(
        kind=DeletionKind.DOMAIN,
        key=domain,
        state=DeletionState.EXECUTED,
        ended_at__gte=deletion.requested_at,
    )
    return executed.order_by("-ended_at").first()


def _end(deletion: PendingDeletion, *, note: str = "") -> None:
    """It is gone. Where another worker took over meanwhile, that one finds the same."""
    if not _mine(deletion).update(
        state=DeletionState.EXECUTED,
        ended_at=seconds_from_now(0),
        ended_by_name=SYSTEM.name,
        note=note[:MAX_TEXT],
        problem="",
        **RELEASED,
    ):
        logger.warning("Deletion %s is done, but was taken from this worker.", deletion.pk)


def _put_off(deletion: PendingDeletion, problem: str, *, pause: float = 0.0) -> None:
    """Try again after a pause that doubles, or give up a day after the first try."""
    give_up_after = GIVE_UP_AFTER.total_seconds()
    if _mine(deletion).filter(first_tried_at__lte=seconds_from_now(-give_up_after)).exists():
        _fail(deletion, _given_up(deletion, problem))
        return
    doubled = FIRST_PAUSE * 2.0 ** min(deletion.tries - 1, MOST_DOUBLINGS)
    wanted = min(max(doubled, pause), LONGEST_PAUSE)
    logger.warning("Deletion %s is tried again in %.0f s: %s", deletion.pk, wanted, problem)
    _mine(deletion).update(
        try_after=Least(seconds_from_now(wanted), F("first_tried_at") + GIVE_UP_AFTER),
        problem=problem[:MAX_TEXT],
        **RELEASED,
    )


def _given_up(deletion: PendingDeletion, problem: str) -> str:
    words = {"tries": deletion.tries, "problem": problem}
    return (
        ngettext(
            "Given up after %(tries)d try in 24 hours. %(problem)s",
            "Given up after %(tries)d tries in 24 hours. %(problem)s",
            deletion.tries,
        )
        % words
    )


def _fail(deletion: PendingDeletion, reason: str) -> None:
    if deletion.called_at:
        told = _("PurelyMail had been told to delete it, and may have done so.")
        reason = f"{reason[: MAX_TEXT - len(told) - 1]} {told}"
    with transaction.atomic():
        if _mine(deletion).update(
            state=DeletionState.FAILED,
            ended_at=seconds_from_now(0),
            ended_by_name=SYSTEM.name,
            note=reason[:MAX_TEXT],
            problem="",
            **RELEASED,
        ):
            record(Action.DELETION_GIVEN_UP, target=deletion.label, after={"reason": reason})


def _worth_keeping(deletion: PendingDeletion) -> dict[str, Any]:
    """What the audit log keeps for good: the dossier without the far end of its long lists."""
    return {name: _shortened(value) for name, value in deletion.dossier.items()}


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shortened(one) for name, one in value.items()}
    if isinstance(value, list) and len(value) > KEPT_ON_RECORD:
        more = _("and %(number)d more") % {"number": len(value) - KEPT_ON_RECORD}
        return [*value[:KEPT_ON_RECORD], more]
    return value
