"""Mail about deletions that failed: one for all of a run, each told once."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from purelymanage.deletions.models import PendingDeletion
from purelymanage.jobs.locks import only_one
from purelymanage.notifications.services import notify_admins

LOCK, LOCK_SECONDS = "deletions.notices", 600


def tell_of_failures() -> int:
    """Mail admins about those that failed, and return of how many it told.

    They count as told once the mail server has taken the mail: what stood in its way leaves them
    to a later run.
    """
    if not PendingDeletion.objects.to_be_told().exists():
        return 0
    with only_one(LOCK, seconds=LOCK_SECONDS) as is_alone:
        failed = list(PendingDeletion.objects.to_be_told()) if is_alone else []
        if not failed or not _send(failed):
            return 0
        told = PendingDeletion.objects.filter(pk__in=[deletion.pk for deletion in failed])
        told.update(told_at=timezone.now())
    return len(failed)


def _send(failed: Sequence[PendingDeletion]) -> bool:
    return notify_admins(
        subject=_subject(failed), template="deletions_failed", context={"failed": failed}
    )


def _subject(failed: Sequence[PendingDeletion]) -> str:
    more = len(failed) - 1
    if not more:
        return _("Not deleted: %(label)s") % {"label": failed[0].label}
    words = ngettext(
        "Not deleted: %(label)s and %(more)d more", "Not deleted: %(label)s and %(more)d more", more
    )
    return words % {"label": failed[0].label, "more": more}
