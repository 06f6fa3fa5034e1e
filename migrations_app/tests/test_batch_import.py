"""Good lines become jobs: once each, whatever dies or happens meanwhile, and their passwords go."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import User
from audit.models import Entry
from migrations_app import tasks
from migrations_app.models import Batch, BatchLine, BatchState, MigrationJob, State
from migrations_app.queueing import queue
from migrations_app.services import batches as services
from migrations_app.services import jobs
from migrations_app.services.jobs import End
from migrations_app.tests.batching import (
    DOMAIN,
    GOOD,
    HEADER,
    SECRET,
    lines,
    old_server,
    preview,
    purelymail_server,
    start,
    states,
    table,
)
from migrations_app.tests.pages import text_of, url
from migrations_app.tests.workers import database_url
from purelymanage.core.context import acting_as, person
from purelymanage.core.errors import RefusedError
from purelymanage.core.roles import Role
from purelymanage.jobs.tests.processes import settles

pytestmark = pytest.mark.django_db
JOBS = MigrationJob._meta.db_table
WORKER = "from migrations_app.tasks import import_batches; import_batches()"


def stored(batch: Batch) -> Batch:
    return Batch.objects.get(pk=batch.pk)


def pairs(batch: Batch) -> list[tuple[str, str]]:
    return list(batch.jobs.order_by("pk").values_list("source_address", "destination_address"))


def wanted(count: int) -> list[tuple[str, str]]:
    return [(f"p{n:05}@old.example", f"p{n:05}@{DOMAIN}") for n in range(1, count + 1)]


def keeps_passwords(batch: Batch) -> bool:
    rows = batch.lines.exclude(source_password="", destination_password="")
    return rows.exists()


# What is made


def test_each_good_line_becomes_a_job_that_can_run(admin):
    later = timezone.now() + timedelta(days=1)
    batch = start(
        admin,
        HEADER + GOOD + "bad,line,no,mail\n",
        dry_run=False,
        engine_wanted="builtin",
        start_at=later,
    )
    tasks.import_batches()
    job = batch.jobs.get()
    assert stored(batch).state == BatchState.ACTIVE
    assert (job.state, job.dry_run, job.engine_wanted) == (State.QUEUED, False, "builtin")
    assert (job.name, job.start_at) == (f"lea@{DOMAIN}", later)
    assert (job.created_by, job.source_host) == (admin, "imap.old.example")
    assert job.source_password.reveal() == f"old-{SECRET}"
    assert job.destination_password.reveal() == f"new-{SECRET}"
    assert states(batch) == ["imported", "bad"]
    assert lines(batch)[0].job == job


def test_lines_forget_their_passwords_in_the_transaction_that_makes_the_jobs(admin, monkeypatch):
    monkeypatch.setattr(services, "SLICE", 2)
    batch = start(admin, table(3))

    def dies(_jobs: object) -> None:
        raise KeyboardInterrupt

    services._import_slice(batch)
    with monkeypatch.context() as patch:
        patch.setattr(services, "record_all", dies)  # the last step of the next slice
        with pytest.raises(KeyboardInterrupt):
            services._import_slice(batch)
    assert states(batch) == ["imported", "imported", "good"]
    assert [bool(line.source_password) for line in lines(batch)] == [False, False, True]
    assert pairs(batch) == wanted(2)
    tasks.import_batches()
    assert pairs(batch) == wanted(3)
    assert not keeps_passwords(batch)


def test_with_temporary_passwords_a_job_needs_none(admin):
    batch = start(admin, HEADER + GOOD, uses_app_password=True)
    tasks.import_batches()
    job = batch.jobs.get()
    assert job.uses_app_password
    assert job.has_passwords
    assert not job.destination_password


def test_jobs_start_in_the_order_of_the_lines(admin):
    batch = start(admin, table(30))
    tasks.import_batches()
    in_order = batch.jobs.order_by("queued_at", "pk").values_list("destination_address", flat=True)
    assert list(in_order) == [pair[1] for pair in wanted(30)]


def test_workers_are_told_that_there_are_jobs_unless_the_batch_is_paused(
    admin, monkeypatch, django_capture_on_commit_callbacks
):
    sent: list[str] = []
    monkeypatch.setattr(
        "migrations_app.queueing.dispatch.enqueue", lambda task, **_o: sent.append(task)
    )
    for is_paused, messages in ((True, 0), (False, 2)):
        sent.clear()
        MigrationJob.objects.all().delete()
        batch = preview(admin, table(3), is_paused=is_paused)
        with acting_as(person(admin)):
            services.start_import(batch=batch)
        with django_capture_on_commit_callbacks(execute=True):
            tasks.import_batches()
        assert stored(batch).is_paused is is_paused
        assert len(sent) == messages  # the cap is 2
        assert (queue.claim("host") is None) is is_paused


def test_every_job_is_on_record_in_the_name_of_whoever_had_it_imported(admin):
    batch = start(admin, table(3))
    tasks.import_batches()
    made = Entry.objects.filter(action="job.created")
    assert made.count() == batch.jobs.count() == 3
    assert {entry.actor_id for entry in made} == {admin.pk}
    others = Entry.objects.exclude(action="job.created").order_by("pk")
    actions = list(others.values_list("action", flat=True))
    assert actions == ["migrations.prepared", "migrations.imported"]
    assert SECRET not in str(list(Entry.objects.values()))


def test_from_the_preview_to_the_batch(admin_client, admin):
    batch = preview(admin, table(3))
    answer = admin_client.post(url("batch_import", batch.pk))
    assert answer["Location"] == url("batch_preview", batch.pk)
    assert "0 of 3" in text_of(admin_client.get(answer["Location"]))
    tasks.import_batches()
    assert admin_client.get(answer["Location"])["Location"] == url("batch", batch.pk)


# All or nothing


def test_all_or_nothing_imports_nothing_while_a_line_is_bad(admin):
    with pytest.raises(RefusedError, match="1 line cannot be imported"):
        start(admin, HEADER + GOOD + "bad,line,no,mail\n", all_or_nothing=True)
    batch = Batch.objects.get()
    assert batch.is_preview
    assert states(batch) == ["good", "bad"]
    tasks.import_batches()
    assert not MigrationJob.objects.exists()


def test_all_or_nothing_looks_once_more_for_what_others_made_meanwhile(admin_client, admin):
    batch = preview(admin, HEADER + GOOD)
    same_job(admin)
    answer = admin_client.post(url("batch_import", batch.pk), {"mode": "all"}, follow=True)
    assert answer.redirect_chain == [(url("batch_preview", batch.pk), 302)]
    assert "1 line cannot be imported" in text_of(answer)
    assert states(batch) == ["bad"]
    assert not keeps_passwords(batch)


def test_all_or_nothing_holds_however_late_a_worker_comes(admin):
    batch = start(admin, HEADER + GOOD + table(1).removeprefix(HEADER), all_or_nothing=True)
    same_job(admin)
    tasks.import_batches()
    assert stored(batch).is_preview
    assert states(batch) == ["bad", "good"]
    assert not batch.jobs.exists()


def same_job(admin: User) -> MigrationJob:
    ends = {
        "source": End(old_server(), "lea@old.example", "pw"),
        "destination": End(purelymail_server(), f"lea@{DOMAIN}", "pw"),
    }
    with acting_as(person(admin)):
        return jobs.create_job(name="By hand", dry_run=True, options=services.Options(), **ends)


def test_a_line_that_somebody_made_a_job_of_meanwhile_is_left_out_and_says_so(admin):
    batch = start(admin, HEADER + GOOD + table(1).removeprefix(HEADER))
    same_job(admin)
    tasks.import_batches()
    assert states(batch) == ["bad", "imported"]
    assert "By hand" in lines(batch)[0].problem
    assert not keeps_passwords(batch)


# What cannot be imported any more


def test_nothing_good_is_nothing_to_import(admin):
    with pytest.raises(RefusedError, match="No line of this file"):
        start(admin, HEADER + "bad,line,no,mail\n")


def test_a_batch_is_imported_once(admin):
    batch = start(admin, HEADER + GOOD)
    with pytest.raises(RefusedError, match="already"):
        services.start_import(batch=batch)
    tasks.import_batches()
    with pytest.raises(RefusedError):
        services.start_import(batch=batch)
    tasks.import_batches()
    assert batch.jobs.count() == 1


def test_a_click_that_comes_twice_ends_where_the_first_did(admin_client, admin):
    batch = preview(admin, HEADER + GOOD)
    for _ in range(2):
        answer = admin_client.post(url("batch_import", batch.pk))
        assert answer["Location"] == url("batch_preview", batch.pk)
    assert "being imported already" in text_of(admin_client.get(answer["Location"]))
    other = preview(admin, table(1))
    for location in (url("batch_new"), url("batches")):
        assert admin_client.post(url("batch_discard", other.pk))["Location"] == location


def test_without_its_server_a_batch_is_not_imported(admin):
    batch = preview(admin, HEADER + GOOD)
    old_server().delete()
    with pytest.raises(RefusedError, match="deleted"):
        services.start_import(batch=stored(batch))


@pytest.mark.parametrize(
    "happens",
    [
        lambda admin: User.objects.filter(pk=admin.pk).update(role=Role.VIEWER),
        lambda admin: User.objects.filter(pk=admin.pk).update(is_active=False),
        lambda _admin: old_server().delete(),
    ],
)
def test_who_may_not_any_more_or_has_no_server_imports_nothing_and_another_can(
    admin, owner, owner_client, happens
):
    batch = start(admin, HEADER + GOOD)
    happens(admin)
    tasks.import_batches()
    assert stored(batch).is_preview
    assert not batch.jobs.exists()
    page = text_of(owner_client.get(url("batch_preview", batch.pk)))
    if stored(batch).source_server:
        with acting_as(person(owner)):
            services.start_import(batch=stored(batch))
        tasks.import_batches()
        assert batch.jobs.get().created_by == owner
    else:
        assert "a server of this batch was deleted" in page


def test_what_was_imported_of_a_preview_stays_when_the_rest_is_discarded(admin, monkeypatch):
    monkeypatch.setattr(services, "SLICE", 2)
    batch = start(admin, table(3))
    services._import_slice(batch)
    User.objects.filter(pk=admin.pk).update(role=Role.VIEWER)
    tasks.import_batches()
    services.discard(batch=stored(batch))
    assert stored(batch).state == BatchState.ACTIVE
    assert states(batch) == ["imported", "imported"]
    assert batch.jobs.count() == 2


def test_passwords_whose_key_is_lost_are_told_line_by_line(admin, settings):
    batch = start(admin, HEADER + GOOD)
    settings.ENCRYPTION_KEYS = ["qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo="]
    tasks.import_batches()
    assert states(batch) == ["bad"]
    assert "ENCRYPTION_KEYS" in lines(batch)[0].problem
    assert stored(batch).state == BatchState.ACTIVE


# Workers


def test_a_worker_gives_back_after_a_while_and_is_called_again(
    admin, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(services, "SLICE", 1)
    monkeypatch.setattr(services, "WORK_SECONDS", -1.0)
    again: list[str] = []
    batch = start(admin, table(3))
    monkeypatch.setattr(services, "enqueue", again.append)
    tasks.import_batches()
    assert states(batch) == ["imported", "good", "good"]
    assert again == [services.IMPORT]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="others do not plan by numbers")
def test_queries_are_planned_for_the_jobs_there_are(admin):
    start(admin, table(7))
    tasks.import_batches()
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [JOBS])
        assert cursor.fetchone() == (7,)


def worker() -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "purelymanage.settings_test",
        "DATABASE_URL": database_url(),
    }
    return subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", WORKER],
        env=environment,
        cwd=settings.BASE_DIR,
    )


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_nothing_is_made_twice_nor_lost_when_workers_are_killed_or_race(admin):
    count = 3000
    batch = start(admin, table(count))
    killed = worker()
    try:
        assert settles(lambda: batch.jobs.exists(), 60)
    finally:
        killed.kill()
        killed.wait(10)
    made = batch.jobs.count()
    assert 0 < made < count
    assert made % services.SLICE == 0
    assert batch.lines.filter(source_password="").count() == made
    both = [worker(), worker()]
    assert [one.wait(120) for one in both] == [0, 0]
    assert worker().wait(120) == 0, "what is left where the time of both was up"
    assert pairs(batch) == wanted(count)
    assert stored(batch).state == BatchState.ACTIVE
    assert not keeps_passwords(batch)
    assert BatchLine.objects.filter(batch=batch, job=None).count() == 0
    assert all(job.source_password.reveal() == f"old-{SECRET}" for job in batch.jobs.all()[:50])
