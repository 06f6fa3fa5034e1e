"""What a check says of two mailboxes: what is wrong, what is worth knowing, how long it takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from mailboxes.tests.factories import MailboxFactory
from migrations_app.checks import checkup
from migrations_app.engines.builtin.troubles import TroubleError
from migrations_app.engines.causes import Cause
from migrations_app.engines.plan import Options
from migrations_app.imap.survey import Found
from migrations_app.models import (
    Check,
    CheckState,
    HostLimits,
    MigrationJob,
    State,
)
from migrations_app.services import checks as services
from migrations_app.tests.checkups import checked, queued
from migrations_app.tests.factories import JobFactory

pytestmark = pytest.mark.django_db


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
