"""One action on many jobs: each on its own, so that one refusal stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from migrations_app.models import MigrationJob
from migrations_app.services import jobs as services
from purelymanage.core.errors import PurelyManageError

ACTIONS: dict[str, Callable[..., object]] = {
    "cancel": services.cancel_job,
    "real": services.run_job_for_real,
    "rerun": services.rerun_job,
    "delete": services.delete_job,
}
DONE_WORDS: dict[str, Promise] = {
    "cancel": _("cancelled"),
    "real": _("queued for real"),
    "rerun": _("queued again"),
    "delete": _("deleted"),
}


@dataclass(frozen=True)
class Outcome:
    """How many it worked for, and the sentences of those it did not."""

    action: str
    done: int
    refusals: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What happened, in one line."""
        text = ngettext("%(count)d job %(done)s.", "%(count)d jobs %(done)s.", self.done) % {
            "count": self.done,
            "done": DONE_WORDS[self.action],
        }
        if not self.refusals:
            return text
        rest = ngettext(
            "%(count)d refused: %(why)s", "%(count)d refused, first: %(why)s", len(self.refusals)
        ) % {
            "count": len(self.refusals),
            "why": self.refusals[0],
        }
        return f"{text} {rest}" if self.done else rest


def act_on_jobs(*, action: str, jobs: Iterable[MigrationJob]) -> Outcome:
    """Do `action` (a key of ACTIONS) to each of `jobs`."""
    done, refusals = 0, []
    for job in jobs:
        try:
            ACTIONS[action](job=job)
        except PurelyManageError as error:
            refusals.append(f"{error.message} ({job.particulars})")
        else:
            done += 1
    return Outcome(action, done, tuple(refusals))
