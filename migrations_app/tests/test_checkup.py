"""Checks: both ends are looked at, a few at a time, and nothing is copied."""

from __future__ import annotations

import imaplib
import re
import socket
import threading
import time
import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone
from imapclient.exceptions import IMAPClientError

from mailboxes.tests.factories import MailboxFactory
from migrations_app.checks import checkup
from migrations_app.engines.builtin.session import Session
from migrations_app.engines.builtin.troubles import SOURCE, TroubleError
from migrations_app.engines.causes import Cause
from migrations_app.engines.plan import Endpoint, Options
from migrations_app.imap import survey as imap_survey
from migrations_app.imap.survey import Found
from migrations_app.models import (
    Check,
    CheckState,
    HostLimits,
    MigrationJob,
    State,
)
from migrations_app.running import start
from migrations_app.selectors.checks import sum_checks
from migrations_app.services import checks as services
from migrations_app.services.jobs import End, update_job
from migrations_app.tests.dovecot import Mail, talking_server
from migrations_app.tests.factories import BatchFactory, JobFactory
from migrations_app.tests.runs import endpoint
from purelymanage.core.context import acting_as, person
from purelymanage.core.errors import RefusedError
from purelymanage.jobs.locks import only_one
from purelymanage.jobs.models import TaskLock

pytestmark = pytest.mark.django_db


@pytest.fixture
def survey(monkeypatch):
    """What mailboxes hold, without a server; counts who is where at a time."""

    class Survey:
        found = Found(folders=3, messages=100, bytes=5_000_000)
        crowd = 0
        """So many looks begin before one of them ends."""
        asked: list[tuple[str, str, str]] = []
        most: Counter[str] = Counter()
        troubles: dict[str, TroubleError] = {}

    Survey.asked, Survey.most, Survey.troubles = [], Counter(), {}
    now, lock = Counter(), threading.Condition()

    def look(end, password, *, side, options, measures):
        with lock:
            Survey.asked.append((end.host, end.user, password))
            for place in (end.host, "all"):
                now[place] += 1
                Survey.most[place] = max(Survey.most[place], now[place])
            lock.notify_all()
            lock.wait_for(lambda: Survey.most["all"] >= Survey.crowd, 20)
        if Survey.crowd:
            time.sleep(0.05)
        with lock:
            now[end.host] -= 1
            now["all"] -= 1
        if end.user in Survey.troubles:
            raise Survey.troubles[end.user]
        return Survey.found

    monkeypatch.setattr(imap_survey, "survey", look)
    monkeypatch.setattr(start, "place_problem", lambda *_place, in_plain: "")
    return Survey


def queued(**facts) -> MigrationJob:
    return JobFactory(state=State.QUEUED, **facts)


def checked(job: MigrationJob) -> Check:
    services.check_jobs(jobs=MigrationJob.objects.filter(pk=job.pk))
    checkup.work()
    return Check.objects.get(job=job)


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


def test_both_ends_are_tried_even_if_the_first_refuses(survey):
    job = queued()
    survey.troubles = {
        job.source_address: TroubleError(
            "login", 1, "[AUTHENTICATIONFAILED] no s0urce-never-shown"
        ),
        job.destination_address: TroubleError("connect", 2, "Connection refused"),
    }
    check = checked(job)
    assert check.state == CheckState.PROBLEM
    assert check.cause == Cause.SOURCE_PASSWORD
    assert f"refused the sign-in of {job.source_address}" in check.problem
    assert "No connection to the destination server" in check.problem
    assert "s0urce-never-shown" not in check.problem


def test_no_cut_leaves_half_of_a_password(survey):
    job = queued()
    for place in range(120, 165):
        said = f"NO {'x' * place} s0urce-never-shown"
        survey.troubles = {job.source_address: TroubleError("login", 1, said)}
        assert "s0ur" not in checked(job).problem
        Check.objects.all().delete()


def test_a_wrong_password_is_not_hidden_by_an_end_that_is_away(survey):
    job = queued()
    survey.troubles = {
        job.source_address: TroubleError("connect", 1, "Connection refused"),
        job.destination_address: TroubleError("login", 2, "[AUTHENTICATIONFAILED] no"),
    }
    assert checked(job).cause == Cause.DESTINATION_PASSWORD


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


def test_with_a_temporary_password_the_destination_is_not_signed_in_to(survey, settings):
    settings.PURELYMAIL_IMAP_URL = "imaps://imap.new.example:993"
    facts = {"destination_password": "", "uses_app_password": True}
    there = queued(destination_address="lea@ours.example", **facts)
    gone = queued(destination_address="max@ours.example", **facts)
    MailboxFactory(address="lea@ours.example")
    services.check_jobs(jobs=MigrationJob.objects.all())
    checkup.work()
    assert {host for host, _user, _password in survey.asked} == {"imap.old.example"}
    assert "makes its own password" in Check.objects.get(job=there).note
    assert Check.objects.get(job=there).state == CheckState.READY
    assert "no mailbox of yours" in Check.objects.get(job=gone).problem


def test_a_missing_mailbox_of_ours_is_no_wrong_password(survey, settings):
    settings.PURELYMAIL_IMAP_URL = "imaps://imap.new.example:993"
    job = queued(destination_address="max@ours.example")
    survey.troubles = {job.destination_address: TroubleError("login", 2, "no such user")}
    assert "There is no mailbox max@ours.example at PurelyMail" in checked(job).problem
    MailboxFactory(address="max@ours.example")
    assert "refused the sign-in" in checked(job).problem


def test_the_same_migration_twice_is_a_problem_another_source_a_note(survey):
    job = queued(destination_address="both@new.example", source_address="a@old.example")
    other = queued(destination_address="Both@new.example", source_address="b@old.example", name="B")
    check = checked(job)
    assert check.state == CheckState.READY
    assert check.note == "“B” copies into this mailbox too."
    MigrationJob.objects.filter(pk=other.pk).update(source_address="A@old.example")
    check = checked(job)
    assert check.state == CheckState.PROBLEM
    assert "unfinished as “B” too" in check.problem
    MigrationJob.objects.filter(pk=other.pk).update(state=State.DONE)
    assert checked(job).state == CheckState.READY


def test_the_time_is_by_the_last_runs_from_that_host(survey):
    ended = timezone.now()
    facts = {"started_at": ended - timedelta(seconds=100), "ended_at": ended}
    JobFactory(source_host="slow.example", bytes_done=10**6, messages_copied=1000, **facts)
    JobFactory(source_host="fast.example", bytes_done=10**9, messages_copied=1000, **facts)
    survey.found = Found(folders=1, messages=10, bytes=10**7)
    assert checked(queued(source_host="slow.example")).seconds == 5 + 1000
    assert checked(queued(source_host="FAST.example")).seconds == 5 + 1
    survey.found = Found(folders=1, messages=2000, bytes=0)
    assert checked(queued(source_host="fast.example")).seconds == 5 + 200


def test_runs_that_found_most_of_it_there_do_not_tell_how_fast_mail_comes(survey, settings):
    settings.MIGRATION_ENGINE = "builtin"
    ended = timezone.now()
    JobFactory(
        bytes_done=2000,
        messages_copied=2,
        messages_present=9000,
        started_at=ended - timedelta(seconds=60),
        ended_at=ended,
    )
    survey.found = Found(folders=1, messages=10, bytes=150_000_000)
    assert checked(queued()).seconds == 5 + 100


def test_without_any_run_it_is_by_what_the_engine_usually_does(survey, settings):
    settings.MIGRATION_ENGINE = "builtin"
    survey.found = Found(folders=1, messages=10, bytes=150_000_000)
    assert checked(queued()).seconds == 5 + 100
    limited = Options(bytes_per_second=100_000).as_json()
    assert checked(queued(options=limited)).seconds == 5 + 1500


def test_a_daily_budget_is_told(survey):
    HostLimits.objects.create(host="imap.old.example", bytes_per_day=2_000_000)
    assert "2.0\N{NO-BREAK SPACE}MB a day" in checked(queued()).note
    assert "takes 3 days at least" in Check.objects.get().note


def test_sizes_that_were_not_told_are_said(survey):
    survey.found = replace(survey.found, bytes=None)
    check = checked(queued())
    assert check.bytes is None
    assert "too long to tell the sizes" in check.note


def test_folders_that_do_not_open_are_said(survey):
    survey.found = replace(survey.found, closed=2)
    assert "2 folders do not open" in checked(queued()).note


# At real servers


@pytest.fixture
def filled(imap_pair):
    user = imap_pair.source.add_user("survey@old.example", "source pass")
    if not imap_pair.source.count(user):
        body = b"Message-ID: <%d@s>\r\n\r\n" + b"x" * 100
        mails = [Mail(("INBOX",), body % number) for number in range(5)]
        mails += [Mail(("Archive", "Übersicht"), body % number) for number in range(5, 8)]
        imap_pair.source.fill(user, mails)
    return user


def test_a_survey_counts_folders_messages_and_bytes(imap_pair, filled):
    end = endpoint(imap_pair.source, filled)
    found = imap_survey.survey(end, "source pass", side=SOURCE, options=Options())
    sizes = sum(
        size * count
        for folder in imap_pair.source.snapshot(filled).values()
        for (_hash, _flags, _date, size), count in folder.items()
    )
    assert (found.messages, found.bytes) == (8, sizes)
    one = imap_survey.survey(end, "source pass", side=SOURCE, options=Options(include=("Archive",)))
    assert one.messages == 3


def test_without_status_size_the_messages_are_added_up(imap_pair, filled, monkeypatch):
    end = endpoint(imap_pair.source, filled)
    whole = imap_survey.survey(end, "source pass", side=SOURCE, options=Options())
    has = imap_survey.Connection.has_capability
    monkeypatch.setattr(
        imap_survey.Connection,
        "has_capability",
        lambda self, name: name != "STATUS=SIZE" and has(self, name),
    )
    monkeypatch.setattr(imap_survey, "SIZES_AT_ONCE", 2)
    assert imap_survey.survey(end, "source pass", side=SOURCE, options=Options()) == whole
    late = imap_survey.survey(end, "source pass", side=SOURCE, options=Options(), seconds=0.5)
    assert late.messages == whole.messages


def test_a_message_that_goes_meanwhile_costs_neither_count_nor_size(imap_pair, filled, monkeypatch):
    end = endpoint(imap_pair.source, filled)
    whole = imap_survey.survey(end, "source pass", side=SOURCE, options=Options())
    status = imap_survey.Connection.folder_status

    def one_more(self, name, what):
        return {b"MESSAGES": status(self, name, what)[b"MESSAGES"] + 1}

    monkeypatch.setattr(imap_survey.Connection, "folder_status", one_more)
    monkeypatch.setattr(imap_survey.Connection, "has_capability", lambda *_name: False)
    found = imap_survey.survey(end, "source pass", side=SOURCE, options=Options())
    assert found.bytes == whole.bytes


def test_a_server_that_falls_silent_over_sizes_is_asked_without_them(
    imap_pair, filled, monkeypatch
):
    """Dovecot reads every message for its size where none is known yet."""
    end = endpoint(imap_pair.source, filled)
    status = imap_survey.Connection.folder_status

    def silent(self, name, what):
        if "SIZE" in what:
            raise TimeoutError("timed out")
        return status(self, name, what)

    monkeypatch.setattr(imap_survey.Connection, "folder_status", silent)
    found = imap_survey.survey(end, "source pass", side=SOURCE, options=Options())
    assert (found.messages, found.bytes) == (8, None)


def test_a_folder_that_does_not_open_is_told(imap_pair, filled, monkeypatch):
    end = endpoint(imap_pair.source, filled)
    status = imap_survey.Connection.folder_status

    def refused(self, name, what):
        if name == "INBOX":
            raise IMAPClientError("NO [NOPERM] Permission denied")
        return status(self, name, what)

    monkeypatch.setattr(imap_survey.Connection, "folder_status", refused)
    found = imap_survey.survey(end, "source pass", side=SOURCE, options=Options())
    assert (found.messages, found.closed) == (3, 1)


@pytest.mark.parametrize("what", [b"* LIST () NIL {4000000000}\r\n", b"* OK still here\r\n" * 99])
def test_a_server_that_talks_without_end_fills_no_memory(settings, monkeypatch, what):
    settings.IMAP_CA_FILE = ""
    monkeypatch.setattr(imap_survey, "MOST_BYTES", 100_000)

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n")
        connection.recv(1000)
        for _number in range(10_000):
            connection.sendall(what)

    with talking_server(talk) as port:
        end = Endpoint("127.0.0.1", port, "none", "lea")
        with pytest.raises(TroubleError, match="more than it should"):
            imap_survey.survey(end, "p", side=SOURCE, options=Options(), measures=False)


def test_no_command_changes_anything(imap_pair, filled, monkeypatch):
    end = endpoint(imap_pair.source, filled)
    said = set()
    send = imaplib.IMAP4.send

    def sent(self, data):
        said.update(re.findall(rb"^\w+ (\w+)", data))
        send(self, data)

    has = imap_survey.Connection.has_capability
    monkeypatch.setattr(imaplib.IMAP4, "send", sent)
    monkeypatch.setattr(
        imap_survey.Connection,
        "has_capability",
        lambda self, name: name != "STATUS=SIZE" and has(self, name),
    )
    imap_survey.survey(end, "source pass", side=SOURCE, options=Options())
    harmless = {"CAPABILITY", "AUTHENTICATE", "LIST", "NAMESPACE", "STATUS", "EXAMINE", "FETCH"}
    assert {word.decode() for word in said} == {*harmless, "LOGOUT"}


def test_a_silent_server_is_given_up_after_the_limit(silent_server, settings):
    settings.IMAP_CA_FILE = ""
    end = Endpoint("127.0.0.1", silent_server.port, "none", "lea")
    begin = time.monotonic()
    with pytest.raises(TroubleError):
        imap_survey.survey(end, "p", side=SOURCE, options=Options(), seconds=1)
    assert time.monotonic() - begin < 5


def test_a_dripping_server_is_given_up_after_the_limit(settings):
    """Each byte comes in time, the answer never."""
    settings.IMAP_CA_FILE = ""

    def drip(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.sendall(b"* OK [CAPABILITY IMAP4rev1] ")
            for _number in range(200):
                connection.sendall(b"x")
                time.sleep(0.1)

    with talking_server(drip) as port:
        end = Endpoint("127.0.0.1", port, "none", "lea")
        begin = time.monotonic()
        with pytest.raises(TroubleError):
            imap_survey.survey(end, "p", side=SOURCE, options=Options(), seconds=1)
        assert time.monotonic() - begin < 5


def test_a_session_that_was_cut_before_it_had_a_line_ends_too(silent_server):
    end = Endpoint("127.0.0.1", silent_server.port, "none", "lea")
    session = Session(SOURCE, end, "s0urce-never-shown", "", 60.0, allows_local=True)
    assert "never-shown" not in repr(session)
    session.cut()
    begin = time.monotonic()
    with pytest.raises(TroubleError):
        session.open()
    assert time.monotonic() - begin < 10


@pytest.mark.django_db(transaction=True)
def test_whole_checks_at_real_servers(imap_pair, filled):
    target = imap_pair.destination.add_user("survey@new.example", "dest pass")
    ends = {
        f"{side}_{name}": value
        for side, server in (("source", imap_pair.source), ("destination", imap_pair.destination))
        for name, value in (("host", "localhost"), ("port", server.port_tls))
    }
    good = queued(
        source_address=filled,
        source_password="source pass",
        destination_address=target,
        destination_password="dest pass",
        **ends,
    )
    wrong = queued(
        source_address=filled,
        source_password="wrong",
        destination_address=f"other-{target}",
        destination_password="wrong",
        **ends,
    )
    services.check_jobs(jobs=MigrationJob.objects.all())
    checkup.work()
    ready = Check.objects.get(job=good)
    assert (ready.state, ready.messages, ready.destination_messages) == ("ready", 8, 0)
    assert imap_pair.destination.count(target) == 0
    refused = Check.objects.get(job=wrong)
    assert refused.cause == Cause.SOURCE_PASSWORD
    assert "source server" in refused.problem
    assert "destination server" in refused.problem
    connections.close_all()
