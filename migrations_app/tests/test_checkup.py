"""Checks: both ends are looked at, a few at a time, by one worker after the other."""

from __future__ import annotations

import time
import uuid
from collections import Counter

import pytest
from django.utils import timezone

from migrations_app.checks import checkup
from migrations_app.engines.builtin.troubles import TroubleError
from migrations_app.engines.causes import Cause
from migrations_app.engines.plan import Options
from migrations_app.imap.survey import Found
from migrations_app.models import (
    Check,
    CheckState,
    MigrationJob,
    State,
)
from migrations_app.selectors.checks import sum_checks
from migrations_app.services import checks as services
from migrations_app.services.jobs import End, update_job
from migrations_app.tests.checkups import checked, queued
from migrations_app.tests.factories import BatchFactory, JobFactory
from purelymanage.core.context import acting_as, person
from purelymanage.core.errors import RefusedError
from purelymanage.jobs.locks import only_one
from purelymanage.jobs.models import TaskLock

pytestmark = pytest.mark.django_db


def test_a_mailbox_is_counted_and_nothing_is_copied(survey):
    job = queued()
    check = checked(job)
    assert check.state == CheckState.READY
    assert (check.folders, check.messages, check.bytes) == (3, 100, 5_000_000)
    assert check.destination_messages == 100
    assert check.seconds
    assert check.checked_at
    assert check.problem == check.note == check.cause == ""
    job.refresh_from_db()
    assert (job.state, job.run, job.version) == (State.QUEUED, 0, 0)


def test_four_at_a_time_and_never_more_than_two_at_a_host(survey):
    survey.crowd = 4
    for number in range(6):
        queued(source_host="a.example", destination_host=f"to{number}.example")
        queued(source_host="b.example", destination_host=f"to{number}.example")
        queued(source_host="c.example")
    services.check_jobs(jobs=MigrationJob.objects.all())
    checkup.work()
    assert not Check.objects.exclude(state=CheckState.READY).exists()
    assert survey.most["all"] == 4
    assert max(survey.most[host] for host in ("a.example", "b.example", "c.example")) <= 2
    assert survey.most["imap.new.example"] <= 2


def test_one_destination_host_of_all_is_spared_too(survey):
    survey.crowd = 2
    for letter in "abcdef":
        queued(source_host=f"{letter}.example")
    services.check_jobs(jobs=MigrationJob.objects.all())
    checkup.work()
    assert survey.most["imap.new.example"] <= 2


def test_a_slice_ends_in_time_and_the_next_one_goes_on(survey):
    for _number in range(6):
        queued()
    services.check_jobs(jobs=MigrationJob.objects.all())
    checkup.work(seconds=0)
    assert checkup.waiting().count() == 6
    checkup.work()
    assert checkup.waiting().count() == 0


def test_what_a_dead_worker_left_in_hand_is_done_again(survey):
    job = queued()
    services.check_jobs(jobs=MigrationJob.objects.all())
    Check.objects.update(state=CheckState.RUNNING, taken_until=timezone.now())
    checkup.work()
    assert Check.objects.get(job=job).state == CheckState.READY


def test_only_one_worker_at_a_time(survey):
    queued()
    services.check_jobs(jobs=MigrationJob.objects.all())
    with only_one(checkup.LOCK, seconds=60):
        checkup.work()
    assert checkup.waiting().count() == 1
    assert not survey.asked


def test_asking_anew_while_it_is_looked_at_makes_the_old_answer_void(survey):
    job = queued()
    services.check_jobs(jobs=MigrationJob.objects.all())
    check = checkup._take(Counter())
    services.check_jobs(jobs=MigrationJob.objects.all())
    checkup._settle(check, {"state": CheckState.READY})
    assert Check.objects.get(job=job).state == CheckState.WAITING


def test_cancelled_jobs_are_left_out_also_when_they_are_cancelled_later(survey):
    jobs = [queued(), queued(), JobFactory(state=State.CANCELLED), JobFactory(state=State.RUNNING)]
    assert services.check_jobs(jobs=MigrationJob.objects.all()) == 2
    MigrationJob.objects.filter(pk=jobs[0].pk).update(state=State.CANCELLED)
    checkup.work()
    assert [check.job for check in Check.objects.all()] == [jobs[1]]
    with pytest.raises(RefusedError, match="nothing to check"):
        services.check_jobs(jobs=MigrationJob.objects.filter(pk=jobs[2].pk))


def test_what_was_found_before_the_job_was_edited_is_void(survey, admin):
    job = queued()
    services.check_jobs(jobs=MigrationJob.objects.all())
    check = checkup._take(Counter())
    MigrationJob.objects.update(state=State.FAILED)
    with acting_as(person(admin)):
        ends = [
            End(None, getattr(job, f"{side}_address"), "typed anew")
            for side in ("source", "destination")
        ]
        update_job(
            job=job,
            name="",
            source=ends[0],
            destination=ends[1],
            dry_run=True,
            options=Options(),
        )
    checkup._settle(check, {"state": CheckState.PROBLEM, "cause": Cause.SOURCE_PASSWORD})
    assert not Check.objects.exists()


@pytest.mark.parametrize(
    "found",
    [
        Found(folders=10**12, messages=10**12, bytes=10**30),
        Found(folders=-1, messages=-1, bytes=-1),
    ],
)
def test_numbers_that_no_mailbox_has_stop_no_other_check(survey, found):
    jobs = [queued(), queued()]
    survey.found = found
    services.check_jobs(jobs=MigrationJob.objects.all())
    checkup.work()
    assert [check.job for check in Check.objects.filter(state=CheckState.READY)] == jobs
    assert sum_checks(None).bytes >= 0


def test_what_a_server_says_stops_no_other_check(survey):
    bad, good = queued(), queued()
    survey.troubles = {bad.source_address: TroubleError("login", 1, "no \0 \ud800" + "é" * 9999)}
    services.check_jobs(jobs=MigrationJob.objects.all())
    checkup.work()
    assert Check.objects.get(job=bad).state == CheckState.PROBLEM
    assert Check.objects.get(job=good).state == CheckState.READY


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_stored_stops_no_other_check(survey, monkeypatch):
    """The first one again and again would keep the rest waiting for ever."""
    bad, good = queued(), queued()
    whole = checkup.findings_of

    def findings_of(look, *seen):
        if look.check.job_id == bad.pk:
            return {"state": CheckState.READY, "note": ["no text"], "messages": "many"}
        return whole(look, *seen)

    monkeypatch.setattr(checkup, "findings_of", findings_of)
    services.check_jobs(jobs=MigrationJob.objects.all())
    checkup.work()
    assert "ValueError" in Check.objects.get(job=bad).problem
    assert Check.objects.get(job=good).state == CheckState.READY


def test_whoever_lost_its_turn_begins_no_further_one(survey, monkeypatch):
    """A host that stood still for a while must not look beside the one that took over."""
    for _number in range(6):
        queued()
    services.check_jobs(jobs=MigrationJob.objects.all())
    whole = checkup._conclude

    def conclude(*look):
        TaskLock.objects.update(holder=uuid.uuid4())
        whole(*look)

    monkeypatch.setattr(checkup, "_conclude", conclude)
    checkup.work()
    assert checkup.waiting().count() >= 6 - checkup.AT_ONCE


def test_a_batch_is_checked_without_what_is_superseded_and_can_be_stopped(survey):
    batch = BatchFactory()
    real = queued(batch=batch)
    JobFactory(batch=batch, dry_run=True, superseded_by=real)
    queued()
    assert services.check_batch(batch=batch) == 1
    assert services.stop_checks(batch=batch) == 1
    assert not Check.objects.exists()


def test_erased_passwords_and_lost_keys_are_problems_of_that_job_alone(survey, settings):
    erased = queued(source_password="")
    good = queued()
    services.check_jobs(jobs=MigrationJob.objects.all())
    checkup.work()
    assert "erased" in Check.objects.get(job=erased).problem
    assert Check.objects.get(job=good).state == CheckState.READY
    settings.ENCRYPTION_KEYS = ["YW5vdGhlciBrZXkgb2YgZXhhY3RseSAzMiBieXRlcyE="]
    assert "Put the lost key back" in checked(good).problem


def test_a_slice_ends_in_time_although_none_can_be_looked_at(survey, monkeypatch):
    """Else the lock runs out meanwhile, and two workers look at once."""
    JobFactory.create_batch(5, state=State.QUEUED, source_password="")
    services.check_jobs(jobs=MigrationJob.objects.all())
    whole = checkup._opened
    monkeypatch.setattr(checkup, "_opened", lambda check: (time.sleep(0.2), whole(check))[1])
    checkup.work(seconds=0.3)
    assert 1 <= checkup.waiting().count() <= 4


def test_a_failure_of_our_own_stops_no_other(survey, monkeypatch):
    bad, good = queued(), queued()
    survey.troubles = {bad.source_address: ZeroDivisionError("s0urce-never-shown")}
    services.check_jobs(jobs=MigrationJob.objects.all())
    checkup.work()
    assert "ZeroDivisionError" in Check.objects.get(job=bad).problem
    assert "never-shown" not in Check.objects.get(job=bad).problem
    assert Check.objects.get(job=good).state == CheckState.READY
