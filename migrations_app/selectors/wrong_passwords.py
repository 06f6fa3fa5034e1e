"""Whose password did not let a migration in, and what to write to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from migrations_app.engines.causes import Cause
from migrations_app.engines.cures import CURES, Remedy
from migrations_app.models import WAITING, Batch, CheckState, MigrationJob, State

REFUSED = [cause for cause, cure in CURES.items() if cure.remedy == Remedy.PASSWORD]
"""Causes that a person with the right password ends."""
_FOUND_BY_CHECK = Q(
    check_before__state=CheckState.PROBLEM,
    check_before__cause__in=REFUSED,
    check_before__checked_at__gt=F("queued_at"),
)
MADE_FOR_THE_RUN = Q(cause=Cause.DESTINATION_PASSWORD, uses_app_password=True)
"""The password was no person's: the next run makes another."""
_FOUND_BY_RUN = Q(state=State.FAILED, cause__in=REFUSED) & ~MADE_FOR_THE_RUN
WRONG_PASSWORD = _FOUND_BY_RUN & ~Q(cause=Cause.PASSWORDS_ERASED) | (WAITING & _FOUND_BY_CHECK)
"""Found by the run itself, or by a check since the job was last queued. What is erased was not
refused by anybody.
"""
ENDS = {
    "source": gettext_lazy("Source"),
    "destination": gettext_lazy("Destination"),
    "": gettext_lazy("Source or destination"),
}
COLUMNS = ("address", "server", "end", "mailbox")


@dataclass(frozen=True)
class WrongPassword:
    """One mailbox that could not be opened."""

    job: MigrationJob
    end: str
    """A key of ENDS."""

    @property
    def end_words(self) -> str:
        return str(ENDS[self.end])

    @property
    def address(self) -> str:
        """The name that was refused."""
        is_source = self.end != "destination"
        return self.job.source_address if is_source else self.job.destination_address

    @property
    def server(self) -> str:
        """The host that refused it: a port says nothing to the person."""
        return self.job.source_host if self.end != "destination" else self.job.destination_host

    @property
    def recipient(self) -> str:
        """Where the person can be written to: mail still comes to the old address."""
        return self.job.source_address if "@" in self.job.source_address else ""

    @property
    def subject(self) -> str:
        return _("The password of %(address)s") % {"address": self.address}

    @property
    def letter(self) -> str:
        """What the person can be sent: no password, and none asked for by mail."""
        words = {"address": self.address, "server": self.server}
        paragraphs = (
            _("Hello,"),
            _(
                "we are moving your mail and could not open %(address)s at %(server)s: the server "
                "refused the password we were given."
            )
            % words,
            _(
                "Please sign in there yourself to see whether you know the right one. Some "
                "providers want an app password for other programs; you make one in the settings "
                "of your account there."
            ),
            _(
                "Then tell whoever looks after your mail, in person or by phone. Please do not "
                "send a password by mail. Nothing is lost: your mail is moved as soon as we have "
                "the right one."
            ),
        )
        return "\n\n".join(paragraphs) + "\n"

    @property
    def mailto(self) -> str:
        """The letter as a link to a mail program."""
        body = quote(self.letter.replace("\n", "\r\n"))
        return f"mailto:{quote(self.recipient)}?subject={quote(self.subject)}&body={body}"

    @property
    def cells(self) -> tuple[str, ...]:
        """Under COLUMNS."""
        return self.address, self.server, self.end_words, self.job.destination_address


def jobs_to_ask_about(batch: Batch) -> QuerySet[MigrationJob]:
    """The jobs of a batch that wait for the right password, in the order of their addresses."""
    jobs = MigrationJob.objects.filter(WRONG_PASSWORD, batch=batch, superseded_by=None)
    return jobs.select_related("check_before").order_by("source_address", "pk")


def wrong_passwords(jobs: Iterable[MigrationJob]) -> list[WrongPassword]:
    """What to know of such jobs to ask about them."""
    return [WrongPassword(job, _end_of(job)) for job in jobs]


def letters_of(found: Iterable[WrongPassword]) -> str:
    """All letters in one text, each with whom it is for."""
    return "\n".join(
        f"{one.recipient or one.address}\n{one.subject}\n\n{one.letter}\n{'-' * 60}\n"
        for one in found
    )


def causes_of(batch: Batch) -> list[tuple[str, int]]:
    """Why jobs of a batch did not end well, in words, the most frequent first."""
    jobs = MigrationJob.objects.filter(batch=batch, superseded_by=None).exclude(cause="")
    ended = jobs.filter(state__in=[State.FAILED, State.DONE_WITH_ERRORS])
    counted = Counter(ended.values_list("cause", flat=True))
    return [(str(Cause(cause).label), number) for cause, number in counted.most_common()]


def _end_of(job: MigrationJob) -> str:
    cause = job.cause if job.state == State.FAILED else job.check_before.cause
    return Cause(cause).end or ""
