"""What can happen to servers, jobs and limits, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from audit.models import Entry, Outcome
from migrations_app.engines.plan import Options
from migrations_app.models import LogChunk, Loss, MigrationJob, Security, Server, State
from migrations_app.queueing import dispatch, queue
from migrations_app.selectors.reports import report_of_job
from migrations_app.services import bulk, jobs, limits, logins, servers
from migrations_app.services.jobs import End
from migrations_app.tests.factories import (
    DESTINATION_PASSWORD,
    SOURCE_PASSWORD,
    FolderFactory,
    JobFactory,
    LogFactory,
    RunningJobFactory,
    ServerFactory,
)
from purelymanage.core.context import acting_as, person
from purelymanage.core.errors import MissingError, RefusedError, UnavailableError

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]

BUSY = [State.QUEUED, State.RUNNING, State.INTERRUPTED]


def details(**changes: Any) -> dict[str, Any]:
    values = {
        "name": "",
        "source": End(ServerFactory(), "anna@old.example", "old secret"),
        "destination": End(ServerFactory(), "anna@new.example", "new secret"),
        "dry_run": True,
        "options": Options(),
    }
    return values | changes


def entries(action: str) -> list[Entry]:
    return list(Entry.objects.filter(action=action))


# Jobs


def test_a_new_job_is_sealed_queued_and_on_record(admin: User) -> None:
    with acting_as(person(admin)):
        job = jobs.create_job(**details())
    job.refresh_from_db()
    assert job.state == State.QUEUED
    assert job.created_by == admin
    assert job.name == "anna@new.example"
    assert job.source_password.reveal() == "old secret"
    assert job.destination_password.reveal() == "new secret"
    stored = MigrationJob.objects.filter(pk=job.pk).values_list("source_password", flat=True).get()
    assert stored.startswith("pm1.")
    (entry,) = entries("job.created")
    assert "secret" not in str([entry.before, entry.after, entry.target])
    assert entry.after["source"].startswith("anna@old.example at ")


def test_the_password_is_sealed_before_the_row_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr(MigrationJob, "save", lambda job, **_options: seen.append(dict(vars(job))))
    monkeypatch.setattr(queue, "submit", lambda _job: None)
    jobs.create_job(**details())
    assert "old secret" not in str(seen)
    assert seen[0]["source_password"].startswith("pm1.")


def test_a_long_destination_makes_a_short_name() -> None:
    job = jobs.create_job(**details(destination=End(ServerFactory(), "x" * 254, "p")))
    assert len(job.name) == 120


@pytest.mark.parametrize("again", [jobs.rerun_job, jobs.run_job_for_real])
def test_a_server_corrected_into_the_other_end_is_not_copied_into_itself(again: Any) -> None:
    jobs.create_job(**details(source=End(ServerFactory(), "anna@new.example", "p")))
    MigrationJob.objects.update(state=State.DONE)
    Server.objects.update(host="imap.one.example")
    with pytest.raises(RefusedError, match="the same mailbox"):
        again(job=MigrationJob.objects.get())
    assert MigrationJob.objects.get().state == State.DONE


@pytest.mark.parametrize("port", [143, 993])
def test_the_same_mailbox_on_both_ends_is_refused(port: int) -> None:
    here = ServerFactory(host="imap.one.example")
    there = ServerFactory(host="imap.one.example", port=port)
    with pytest.raises(RefusedError, match="the same mailbox"):
        jobs.create_job(
            **details(source=End(here, "Anna@x", "1"), destination=End(there, "anna@x", "2"))
        )
    assert not MigrationJob.objects.exists()


def test_two_servers_on_one_host_are_two_servers() -> None:
    here = ServerFactory(host="127.0.0.1", port=8143)
    there = ServerFactory(host="127.0.0.1", port=8144)
    jobs.create_job(**details(source=End(here, "a", "1"), destination=End(there, "a", "2")))


def test_the_same_migration_is_not_queued_twice() -> None:
    values = details()
    jobs.create_job(**values)
    with pytest.raises(RefusedError, match="already queued"):
        jobs.create_job(**values)
    assert MigrationJob.objects.count() == 1


def test_editing_keeps_the_stored_password_where_nothing_is_typed() -> None:
    job = JobFactory(source_server=ServerFactory(), destination_server=ServerFactory())
    other = ServerFactory(host="imap.other.example", port=143, security=Security.STARTTLS)
    jobs.update_job(
        job=job,
        **details(
            name="Renamed",
            source=End(other, "new@old.example", ""),
            destination=End(None, "b@new.example", "fresh"),
        ),
    )
    job.refresh_from_db()
    assert (job.name, job.state, job.dry_run) == ("Renamed", State.QUEUED, True)
    assert (job.source_host, job.source_port, job.source_security) == (
        "imap.other.example",
        143,
        "starttls",
    )
    assert job.source_password.reveal() == SOURCE_PASSWORD
    assert job.destination_password.reveal() == "fresh"


def test_an_edited_job_runs_again_and_forgets_its_verdict() -> None:
    job = JobFactory(state=State.FAILED, verdict="No.")
    jobs.update_job(job=job, **details())
    job.refresh_from_db()
    assert (job.state, job.verdict) == (State.QUEUED, "")


def test_what_a_dry_run_would_copy_is_not_reported_as_copied_once_it_is_made_a_real_run() -> None:
    job = JobFactory(dry_run=True)
    FolderFactory(job=job, found=9, copied=9, is_done=True)
    Loss.objects.create(job=job, position=0, folder="INBOX", reason="NO")
    jobs.update_job(job=job, **details(dry_run=False))
    report = report_of_job(job)
    assert (report.total.copied, report.folders, report.losses.rows) == (0, [], [])


@pytest.mark.parametrize("state", BUSY)
def test_a_busy_job_is_not_edited_rerun_deleted_or_emptied(state: str) -> None:
    job = JobFactory(state=state)
    address = job.source_address
    for act in (
        lambda: jobs.update_job(job=job, **details()),
        lambda: jobs.rerun_job(job=job),
        lambda: jobs.delete_job(job=job),
        lambda: jobs.erase_credentials(job=job),
    ):
        with pytest.raises(RefusedError, match="Cancel it first"):
            act()
    stored = MigrationJob.objects.get(pk=job.pk)
    assert (stored.state, stored.source_address) == (state, address)
    assert stored.has_passwords


def test_a_job_interrupted_too_often_is_idle() -> None:
    job = JobFactory(state=State.INTERRUPTED, requeues=4)
    assert jobs.rerun_job(job=job).state == State.QUEUED


def test_a_dry_run_becomes_a_new_real_job_with_the_same_credentials(admin: User) -> None:
    dry = JobFactory(dry_run=True, options={"include": ["INBOX"]})
    with acting_as(person(admin)):
        real = jobs.run_job_for_real(job=dry)
    real.refresh_from_db()
    assert real.pk != dry.pk
    assert (real.dry_run, real.state, real.options) == (False, State.QUEUED, dry.options)
    assert real.source_password.reveal() == SOURCE_PASSWORD
    assert real.destination_password.reveal() == DESTINATION_PASSWORD
    assert real.source_password.envelope != dry.source_password.envelope
    assert real.created_by == admin
    with pytest.raises(RefusedError, match="already queued"):
        jobs.run_job_for_real(job=dry)


@pytest.mark.parametrize(
    "facts", [{"dry_run": False}, {"dry_run": True, "state": State.FAILED}, {"state": State.QUEUED}]
)
def test_only_a_finished_dry_run_is_run_for_real(facts: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match="not a finished dry run"):
        jobs.run_job_for_real(job=JobFactory(**facts))


def test_a_rerun_takes_the_corrected_server() -> None:
    server = ServerFactory(host="imap.wrong.example")
    job = JobFactory(source_server=server, state=State.FAILED)
    servers.update_server(
        server=server, name="Old", host="imap.right.example", port=993, security="tls"
    )
    jobs.rerun_job(job=MigrationJob.objects.get(pk=job.pk))
    job.refresh_from_db()
    assert (job.source_host, job.state) == ("imap.right.example", State.QUEUED)


def test_erased_passwords_stop_a_rerun_until_they_are_typed_again() -> None:
    job = jobs.erase_credentials(job=JobFactory())
    job.refresh_from_db()
    assert not job.source_password
    assert not job.destination_password
    with pytest.raises(RefusedError, match="erased"):
        jobs.rerun_job(job=job)
    assert MigrationJob.objects.get(pk=job.pk).state == State.DONE
    jobs.update_job(job=job, **details())
    assert job.state == State.QUEUED


def test_a_queued_job_is_cancelled_in_the_name_of_the_person(admin: User) -> None:
    job = JobFactory(state=State.QUEUED)
    with acting_as(person(admin)):
        jobs.cancel_job(job=job)
    assert (job.state, job.stopped_by) == (State.CANCELLED, "Adam")
    assert entries("job.cancelled")[0].outcome.result == "ok"


def test_a_running_job_is_asked_to_stop() -> None:
    job = jobs.cancel_job(job=RunningJobFactory())
    assert (job.state, job.stop_requested) == (State.RUNNING, True)


def test_cancelling_what_has_ended_is_refused_and_on_record() -> None:
    with pytest.raises(RefusedError, match="ended already"):
        jobs.cancel_job(job=JobFactory())
    assert entries("job.cancelled")[0].outcome.result == "refused"


def test_a_deleted_job_takes_its_log_along() -> None:
    job = LogFactory().job
    jobs.delete_job(job=job)
    assert not MigrationJob.objects.exists()
    assert not LogChunk.objects.exists()
    assert entries("job.deleted")


def test_a_rerun_does_not_bring_back_passwords_erased_meanwhile() -> None:
    job = JobFactory()
    jobs.erase_credentials(job=MigrationJob.objects.get(pk=job.pk))
    with pytest.raises(RefusedError, match="were erased"):
        jobs.rerun_job(job=job)
    job.refresh_from_db()
    assert (job.state, job.has_passwords) == (State.DONE, False)


def test_deleting_what_is_gone_says_so() -> None:
    job = JobFactory()
    MigrationJob.objects.all().delete()
    with pytest.raises(MissingError, match="deleted meanwhile"):
        jobs.delete_job(job=job)


def test_one_refusal_stops_no_other_job() -> None:
    done, running = JobFactory(), RunningJobFactory()
    outcome = bulk.act_on_jobs(action="delete", jobs=[running, done])
    assert list(MigrationJob.objects.all()) == [running]
    assert outcome.done == 1
    assert outcome.sentence.startswith("1 job deleted. 1 refused: “")


# Servers


def test_a_server_is_added_and_on_record() -> None:
    server = servers.create_server(name="Old", host="imap.old.example", port=993, security="tls")
    assert Server.objects.get() == server
    assert entries("server.created")[0].after["host"] == "imap.old.example"


def test_a_second_server_of_the_same_name_is_refused() -> None:
    ServerFactory(name="Old")
    with pytest.raises(RefusedError, match="already here") as caught:
        servers.create_server(name="old", host="x.example", port=993, security="tls")
    assert caught.value.field == "name"


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "::1", "localhost"])
def test_no_encryption_is_allowed_nearby(host: str) -> None:
    servers.create_server(name="Near", host=host, port=143, security="none")


@pytest.mark.parametrize("addresses", [["9.9.9.9"], ["10.0.0.1", "9.9.9.9"]])
def test_no_encryption_is_refused_over_the_internet(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migrations_app.imap.hosts.look_up", lambda *_a, **_k: addresses)
    with pytest.raises(RefusedError, match="in the clear") as caught:
        servers.create_server(name="Far", host="imap.far.example", port=143, security="none")
    assert caught.value.field == "security"


def test_a_deleted_server_leaves_its_jobs_with_their_copy() -> None:
    server = ServerFactory(host="imap.gone.example")
    job = JobFactory(source_server=server)
    servers.delete_server(server=server)
    job.refresh_from_db()
    assert (job.source_server, job.source_host) == (None, "imap.gone.example")
    assert jobs.rerun_job(job=job).source_host == "imap.gone.example"


# Limits


def test_a_higher_cap_counts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    kicks: list[bool] = []
    monkeypatch.setattr(dispatch, "kick", lambda: kicks.append(True))
    limits.change_limits(concurrency=7, per_source_host=3)
    assert (dispatch.limits().concurrency, dispatch.limits().per_source_host) == (7, 3)
    assert kicks
    (entry,) = entries("settings.limit_changed")
    assert (entry.before["concurrency"], entry.after["concurrency"]) == (2, 7)


# Login tests


def target() -> logins.Target:
    return logins.Target("127.0.0.1", 9, "none", "anna", "typed-secret")


def test_a_login_test_is_on_record_without_the_password() -> None:
    (report,) = logins.try_logins(targets={"": target()})
    assert report.failed is not None
    (entry,) = entries("server.tested")
    assert entry.sentence == "tried to sign in: anna at 127.0.0.1:9"
    assert entry.outcome.result == Outcome.Result.REFUSED
    assert entry.outcome.reason == "127.0.0.1:9: failed at Connect."
    assert "typed-secret" not in str([vars(entry), vars(entry.outcome)])


def test_the_record_of_two_logins_names_the_sides() -> None:
    other = logins.Target("::1", 9, "none", "anna", "typed-secret")
    logins.try_logins(targets={"source": target(), "destination": other})
    (entry,) = entries("server.tested")
    assert entry.target == "source anna at 127.0.0.1:9, destination anna at [::1]:9"


def test_only_a_few_login_tests_run_at_once() -> None:
    for _ in range(logins.AT_ONCE):
        assert logins._places.acquire(blocking=False)
    try:
        with pytest.raises(UnavailableError, match="still running"):
            logins.try_logins(targets={"": target()})
    finally:
        for _ in range(logins.AT_ONCE):
            logins._places.release()


def test_login_tests_are_not_a_way_to_guess_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "PER_MINUTE", 2)
    logins.try_logins(targets={"": target()})
    logins.try_logins(targets={"": target()})
    with pytest.raises(RefusedError, match="Wait a minute"):
        logins.try_logins(targets={"": target()})
