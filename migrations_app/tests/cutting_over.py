"""What the tests of cut-overs share: a batch of a domain, and ways to move it on."""

from __future__ import annotations

from django.utils import timezone

from domains.models import DnsRecord, RecordState
from domains.tests.factories import DnsRecordFactory, DomainFactory
from migrations_app.models import Batch, CutOver, CutOverStep, MigrationJob, State
from migrations_app.selectors.repeats import DUE
from migrations_app.services import cutovers, repeats
from migrations_app.tests.factories import BatchFactory, JobFactory

DOMAIN = "lindenhof.example"


def batch_of(count: int = 2, **facts: object) -> Batch:
    """A batch of the domain, whose real runs have ended well unless told otherwise."""
    DomainFactory(name=DOMAIN)
    batch = BatchFactory(name="Lindenhof")
    for number in range(count):
        values = {"succeeded_at": timezone.now(), **facts}
        JobFactory(batch=batch, destination_address=f"p{number}@{DOMAIN}", **values)
    return batch


def begun(**facts: object) -> CutOver:
    return cutovers.begin_cut_over(batch=batch_of(**facts), every_hours=6)


def mx(state: RecordState, **facts: object) -> None:
    DnsRecord.objects.all().delete()
    DnsRecordFactory(domain=DomainFactory(name=DOMAIN), state=state, **facts)


def fresh(cut_over: CutOver) -> CutOver:
    return CutOver.objects.select_related("batch", "catch_up").get(pk=cut_over.pk)


def step_after_tick(cut_over: CutOver) -> str:
    cutovers.advance_all()
    return fresh(cut_over).step


def end_all() -> None:
    """All jobs that wait end well, and those that are due; a busy machine needs several goes."""
    repeats.run_due()
    while MigrationJob.objects.filter(DUE).exists():
        repeats.run_due()
    MigrationJob.objects.filter(state=State.QUEUED).update(
        state=State.DONE, succeeded_at=timezone.now(), ended_at=timezone.now()
    )


def at(cut_over: CutOver, wanted: CutOverStep) -> CutOver:
    """Moved on by hand."""
    while fresh(cut_over).step != wanted:
        cutovers.advance_by_hand(cut_over=fresh(cut_over), step=fresh(cut_over).step)
    return fresh(cut_over)


def dies(*_args: object, **_options: object) -> None:
    """A worker at this moment."""
    raise KeyboardInterrupt
