"""Passwords of many jobs forgotten at once: ticked ones, all that match, those of a batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from audit.models import Entry
from migrations_app.batches import bulk_worker
from migrations_app.models import BulkWork, CutOver, MigrationJob, State
from migrations_app.selectors import JobFilter
from migrations_app.selectors.jobs import HAS_PASSWORDS
from migrations_app.services import bulk
from migrations_app.services.bulk import act_on_all
from migrations_app.services.jobs import erase_credentials, run_job_for_real
from migrations_app.tests.factories import BatchFactory, JobFactory, RunningJobFactory
from migrations_app.tests.pages import HTMX, text_of, url
from purelymanage.core.context import acting_as, person
from purelymanage.core.errors import RefusedError

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]
UNFINISHED = (State.QUEUED, State.INTERRUPTED)


@pytest.fixture
def acting(admin: User) -> Iterator[User]:
    with acting_as(person(admin)):
        yield admin


def keeping() -> set[int]:
    """The jobs that still have a password."""
    return set(MigrationJob.objects.filter(HAS_PASSWORDS).values_list("pk", flat=True))


def erased() -> list[str]:
    """Whose passwords are on record as erased."""
    entries = Entry.objects.filter(action="job.credentials_erased").order_by("pk")
    return list(entries.values_list("target", flat=True))


def test_ticked_ones_are_asked_about_and_only_ended_ones_forget(admin_client: Client) -> None:
    ended = [JobFactory(state=state) for state in (State.DONE, State.FAILED, State.CANCELLED)]
    unfinished = [JobFactory(state=state) for state in UNFINISHED] + [RunningJobFactory()]
    data = {"action": "erase", "selected": [job.pk for job in (*ended, *unfinished)]}
    question = text_of(admin_client.post(url("selected"), data))
    assert "Erase the passwords of 6 jobs?" in question
    assert "both passwords have to be typed once more" in question
    assert len(keeping()) == 6
    answer = admin_client.post(url("selected"), data | {"confirmed": "1"}, follow=True)
    assert "The passwords of 3 jobs are erased. 3 refused" in text_of(answer)
    assert keeping() == {job.pk for job in unfinished}
    assert sorted(erased()) == sorted(job.name for job in (*ended, *unfinished))


def test_all_that_match_forget_and_no_other(admin_client: Client) -> None:
    failed = [JobFactory(state=State.FAILED) for _ in range(3)]
    done = JobFactory()
    where, data = url("selected") + "?state=failed", {"action": "erase", "everything": "1"}
    question = text_of(admin_client.post(where, data))
    assert "Erase the passwords of 3 jobs?" in question
    admin_client.post(where, data | {"confirmed": "1"})
    assert keeping() == {done.pk}
    assert erased() == [job.name for job in failed]


def test_a_batch_forgets_those_of_its_dry_runs_too(admin_client: Client, acting: User) -> None:
    batch, other = BatchFactory(name="Lindenhof"), JobFactory()
    dry = JobFactory(batch=batch, dry_run=True)
    real = run_job_for_real(job=dry)
    MigrationJob.objects.filter(pk=real.pk).update(state=State.DONE)
    busy = RunningJobFactory(batch=batch)
    page = text_of(admin_client.get(url("batch", batch.pk)))
    assert url("batch_erase", batch.pk) in page
    question = text_of(admin_client.get(url("batch_erase", batch.pk), headers=HTMX))
    assert "Erase the passwords of 2 jobs?" in question
    answer = admin_client.post(url("batch_erase", batch.pk), follow=True)
    assert answer.redirect_chain == [(url("batch", batch.pk), 302)]
    assert "The passwords of 2 jobs are erased." in text_of(answer)
    assert keeping() == {busy.pk, other.pk}
    again = admin_client.post(url("batch_erase", batch.pk), follow=True)
    assert "None of these jobs has ended and still has a password" in text_of(again)


def test_a_batch_in_a_cut_over_keeps_them(admin_client: Client) -> None:
    """Without them its last syncs would be passed over, and the mailboxes counted as moved."""
    batch = BatchFactory()
    job = JobFactory(batch=batch)
    CutOver.objects.create(domain="new.example", batch=batch)
    answer = text_of(admin_client.post(url("batch_erase", batch.pk), follow=True))
    assert "belongs to the cut-over of new.example. Stop that first." in answer
    assert keeping() == {job.pk}


def test_one_job_takes_the_dry_run_it_goes_on_from_along(acting: User) -> None:
    dry = JobFactory(dry_run=True)
    real = run_job_for_real(job=dry)
    with pytest.raises(RefusedError, match="Cancel it first"):
        erase_credentials(job=real)
    assert keeping() == {dry.pk, real.pk}
    MigrationJob.objects.filter(pk=real.pk).update(state=State.DONE)
    erase_credentials(job=real)
    assert keeping() == set()
    assert erased().count(dry.name) == 3, "the refusal, the dry run, the real one"


def test_many_are_forgotten_by_a_worker_each_on_record(
    acting: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST_AT_ONCE", 2)
    batch = BatchFactory()
    jobs = [JobFactory(batch=batch) for _ in range(4)]
    work = act_on_all(action="erase", wanted=JobFilter(batch=batch.pk), target=batch)
    assert isinstance(work, BulkWork)
    work.full_clean(exclude=["wanted", "refusals"])
    assert len(keeping()) == 4
    queued_again = jobs.pop()
    MigrationJob.objects.filter(pk=queued_again.pk).update(state=State.QUEUED)
    bulk_worker.work()
    work.refresh_from_db()
    assert (work.done, work.refused, bool(work.ended_at)) == (3, 0, True)
    assert str(work.get_action_display()) == "Erase passwords"
    assert keeping() == {queued_again.pk}
    assert erased() == [job.name for job in jobs]


@pytest.mark.parametrize("facts", [{"source_password": ""}, {"destination_password": ""}])
def test_one_password_that_is_left_is_forgotten_as_well(
    acting: User, facts: dict[str, Any]
) -> None:
    JobFactory(**facts)
    act_on_all(action="erase", wanted=JobFilter())
    assert keeping() == set()


def test_who_only_reads_erases_nothing(viewer_client: Client) -> None:
    batch = BatchFactory()
    job = JobFactory(batch=batch)
    assert url("batch_erase", batch.pk) not in text_of(viewer_client.get(url("batch", batch.pk)))
    assert viewer_client.post(url("batch_erase", batch.pk)).status_code == 403
    data = {"action": "erase", "selected": [job.pk], "confirmed": "1"}
    assert viewer_client.post(url("selected"), data).status_code == 403
    assert keeping() == {job.pk}
