"""Who is told that a migration has ended, and who knows already."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from migrations_app.models import BulkWork, MigrationJob, State, Watch
from migrations_app.services import notices
from migrations_app.services.jobs import rerun_job
from migrations_app.services.watching import note_watching
from migrations_app.tests.factories import SOURCE_PASSWORD, BatchFactory, JobFactory
from purelymanage.core.context import acting_as, person
from purelymanage.core.roles import Role
from purelymanage.notifications.models import Message
from purelymanage.notifications.outbox import send_waiting

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]
HTMX = {"HX-Request": "true"}


def ended(**facts):
    """A job that has just ended."""
    return JobFactory(
        **{"run": 1, "ended_at": timezone.now(), "verdict": "All 12 messages are there."} | facts
    )


def tell():
    notices.tell()
    send_waiting()


def test_whoever_started_it_is_mailed_once_how_it_ended(admin, owner, mailoutbox, settings):
    settings.BASE_URL = "https://panel.example"
    job = ended(created_by=admin, name="Lea")
    tell()
    tell()
    (mail,) = mailoutbox
    assert mail.to == [admin.email]
    assert mail.subject == "Done: Lea"
    assert "All 12 messages are there." in mail.body
    assert f"https://panel.example/migrations/{job.pk}/" in mail.body
    assert f'href="https://panel.example/migrations/{job.pk}/"' in mail.alternatives[0][0]
    assert job.source_address in mail.body


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_tell_it_once(admin, mailoutbox, monkeypatch):
    """Both have seen that there is news before either of them tells it."""
    ended(created_by=admin, name="Lea")
    batch_of(admin, State.DONE)
    both, lock = threading.Barrier(2, timeout=20), notices.lock_transaction

    def lock_together(name):
        lock(name)
        time.sleep(0.2)

    def work():
        both.wait()
        notices.tell()
        connection.close()

    monkeypatch.setattr(notices, "lock_transaction", lock_together)
    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    send_waiting()
    assert sorted(mail.subject for mail in mailoutbox) == ["Done: Lea", "Done: batch March"]


def test_telling_and_marking_are_one(admin, monkeypatch):
    ended(created_by=admin)

    def die(**_):
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(notices, "notify_elsewhere", die)
        with pytest.raises(RuntimeError):
            notices.tell()
    assert not Message.objects.exists()
    assert MigrationJob.objects.filter(told_run=0).exists()
    notices.tell()
    assert Message.objects.count() == 1


def test_several_that_ended_since_the_last_time_are_one_mail(admin, mailoutbox):
    for number in range(3):
        ended(created_by=admin, name=f"Person {number}")
    ended(created_by=admin, name="Sad", state=State.FAILED, verdict="Wrong password.")
    tell()
    (mail,) = mailoutbox
    assert mail.subject == "4 migrations have ended, 3 of them well"
    assert "Failed: Sad" in mail.body
    assert "Done: Person 2" in mail.body


def test_each_is_told_of_their_own(admin, owner, mailoutbox):
    ended(created_by=admin, name="Lea")
    ended(created_by=owner, name="Max")
    tell()
    assert {mail.to[0]: mail.subject for mail in mailoutbox} == {
        admin.email: "Done: Lea",
        owner.email: "Done: Max",
    }


@pytest.mark.parametrize(
    "facts",
    [
        {"state": State.QUEUED},
        {"state": State.RUNNING},
        {"state": State.INTERRUPTED, "requeues": 1},
        {"state": State.CANCELLED},
        {"told_run": 1},
        {"repeat_at": timezone.now() - timedelta(hours=1)},
        {"told_run": 1, "run": 2, "repeat_hours": 6, "told_as": "done "},
        {
            "told_run": 1,
            "run": 2,
            "repeat_hours": 6,
            "state": State.DONE_WITH_ERRORS,
            "cause": "messages_too_large",
            "told_as": "done_with_errors messages_too_large",
        },
    ],
    ids=[
        "waits",
        "runs",
        "comes again",
        "cancelled",
        "told",
        "is due again",
        "went as before",
        "has the same fault as before",
    ],
)
def test_what_is_no_news_is_not_told(admin, mailoutbox, facts):
    ended(created_by=admin, **facts)
    tell()
    assert not mailoutbox


@pytest.mark.parametrize(
    "facts",
    [
        {"state": State.FAILED, "told_run": 1, "run": 2, "repeat_hours": 6, "told_as": "done "},
        {"told_run": 1, "run": 2, "repeat_hours": 6, "told_as": "failed source_busy"},
        {"state": State.INTERRUPTED, "requeues": 4},
        {"told_run": 1, "run": 2},
    ],
    ids=["a repeat failed", "a repeat works again", "given up", "run again by hand"],
)
def test_what_needs_a_look_is_told(admin, mailoutbox, facts):
    ended(created_by=admin, **facts)
    tell()
    assert len(mailoutbox) == 1


def test_who_runs_it_again_is_told_and_not_who_made_it(admin, owner, mailoutbox):
    job = ended(created_by=owner, told_run=1)
    with acting_as(person(admin)):
        rerun_job(job=job)
    MigrationJob.objects.update(state=State.DONE, run=2, ended_at=timezone.now())
    tell()
    assert [mail.to for mail in mailoutbox] == [[admin.email]]


def test_where_the_starter_has_left_all_admins_are_told(admin, owner, mailoutbox):
    gone = User.objects.create_user(email="gone@panel.example", name="Gone", role=Role.ADMIN)
    ended(created_by=gone)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    tell()
    assert {mail.to[0] for mail in mailoutbox} == {admin.email, owner.email}


# Watching


def test_whoever_has_its_page_open_needs_no_mail(admin, admin_client, mailoutbox):
    job = JobFactory(created_by=admin, state=State.RUNNING, run=1)
    admin_client.get(reverse("migrations:live", args=[job.pk]), headers=HTMX)
    MigrationJob.objects.update(state=State.DONE, ended_at=timezone.now() + timedelta(seconds=50))
    tell()
    assert not mailoutbox


def test_whoever_closed_it_over_a_minute_before_the_end_is_mailed(admin, admin_client, mailoutbox):
    job = JobFactory(created_by=admin, state=State.RUNNING, run=1)
    admin_client.get(reverse("migrations:live", args=[job.pk]), headers=HTMX)
    MigrationJob.objects.update(state=State.DONE, ended_at=timezone.now() + timedelta(seconds=61))
    tell()
    assert len(mailoutbox) == 1


def test_a_page_in_a_hidden_tab_or_before_the_eyes_of_others_is_not_watched(
    admin, admin_client, owner_client, mailoutbox
):
    job = JobFactory(created_by=admin, state=State.RUNNING, run=1)
    url = reverse("migrations:live", args=[job.pk])
    admin_client.get(url, {"hidden": "1"}, headers=HTMX)
    owner_client.get(url, headers=HTMX)
    MigrationJob.objects.update(state=State.DONE, ended_at=timezone.now())
    tell()
    assert len(mailoutbox) == 1


def test_watching_is_written_down_three_times_a_minute_at_the_most(
    admin, django_assert_num_queries
):
    job = JobFactory(created_by=admin, state=State.RUNNING)
    note_watching(admin.pk, job)
    first = Watch.objects.get().seen_at
    with django_assert_num_queries(0):
        note_watching(admin.pk, job)
    with time_machine.travel(timezone.now() + timedelta(seconds=21)):
        note_watching(admin.pk, job)
    assert Watch.objects.get().seen_at > first


# Batches


def batch_of(person, *states, **facts):
    batch = BatchFactory(created_by=person, name="March")
    for state in states:
        ended(batch=batch, created_by=person, state=state, **facts)
    return batch


def test_a_batch_is_one_mail_when_all_of_it_has_ended(admin, mailoutbox, settings):
    settings.BASE_URL = "https://panel.example"
    batch = batch_of(admin, State.DONE, State.DONE, State.RUNNING)
    ended(batch=batch, created_by=admin, state=State.FAILED, cause="source_password")
    tell()
    assert not mailoutbox
    MigrationJob.objects.filter(state=State.RUNNING).update(state=State.DONE)
    tell()
    tell()
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == ([admin.email], "Ended, some failed: batch March")
    assert "3 done" in mail.body
    assert "Wrong source password: 1" in mail.body
    assert f"https://panel.example/migrations/batches/{batch.pk}/passwords/" in mail.body
    assert f"https://panel.example/migrations/batches/{batch.pk}/report/" in mail.body
    assert SOURCE_PASSWORD not in mail.body
    batch.refresh_from_db()
    assert batch.told_at


@pytest.mark.parametrize("what", ["paused", "retry", "importing", "bulk"])
def test_a_batch_with_something_to_come_has_not_ended(admin, mailoutbox, what):
    batch = batch_of(admin, State.DONE)
    if what == "paused":
        ended(batch=batch, state=State.QUEUED)
    if what == "retry":
        ended(batch=batch, state=State.QUEUED, try_after=timezone.now() + timedelta(minutes=5))
    if what == "importing":
        type(batch).objects.update(state="importing")
    if what == "bulk":
        BulkWork.objects.create(action="real", batch=batch, last_id=1, total=1)
    tell()
    assert not mailoutbox


def test_a_batch_whose_import_stopped_is_told_of_as_such(admin, mailoutbox):
    """A server was deleted half-way: what was made of it has run, the rest waits for a person."""
    batch = batch_of(admin, State.DONE)
    type(batch).objects.update(state="preview")
    tell()
    (mail,) = mailoutbox
    assert mail.subject == "Import stopped: batch March"


def test_a_batch_is_told_of_again_after_more_was_run(admin, mailoutbox):
    batch = batch_of(admin, State.DONE, State.FAILED)
    tell()
    batch.jobs.filter(state=State.FAILED).update(state=State.DONE, run=F("run") + 1)
    tell()
    assert [mail.subject for mail in mailoutbox] == [
        "Ended, some failed: batch March",
        "Done: batch March",
    ]


def test_a_batch_that_repeats_is_told_of_once_and_then_of_what_changes(admin, mailoutbox):
    """Copied every hour, one message too large for years: no mail every hour."""
    facts = {"cause": "messages_too_large", "repeat_hours": 1}
    batch = batch_of(admin, State.DONE_WITH_ERRORS, State.DONE, **facts)
    tell()
    for _round in range(3):
        batch.jobs.update(run=F("run") + 1)
        tell()
    assert len(mailoutbox) == 1
    batch.jobs.filter(state=State.DONE).update(run=F("run") + 1, state=State.FAILED)
    tell()
    assert len(mailoutbox) == 2


@pytest.mark.parametrize(("hours", "mails"), [(23, 0), (25, 1)])
def test_a_batch_that_repeats_without_a_rest_is_told_of_once_a_day(admin, mailoutbox, hours, mails):
    """Each round takes longer than its hours: a password that fails must not stay untold."""
    then = timezone.now() - timedelta(hours=hours)
    batch = batch_of(admin, State.DONE, run=2, told_run=1, told_as="done ", repeat_hours=1)
    ended(batch=batch, state=State.QUEUED, run=2, told_run=2, repeat_hours=1)
    type(batch).objects.update(told_at=then)
    batch.jobs.filter(state=State.DONE).update(state=State.FAILED, cause="source_password")
    tell()
    tell()
    assert len(mailoutbox) == mails
    assert all("Wrong source password: 1" in mail.body for mail in mailoutbox)


def test_who_cancelled_a_batch_by_hand_is_not_mailed(admin, mailoutbox):
    batch_of(admin, State.CANCELLED, State.CANCELLED)
    tell()
    assert not mailoutbox
    assert not MigrationJob.objects.filter(notices.UNTOLD).exists()


def test_whoever_looks_at_the_page_of_the_batch_needs_no_mail(admin, admin_client, mailoutbox):
    batch = batch_of(admin, State.DONE)
    admin_client.get(reverse("migrations:batch_live", args=[batch.pk]), headers=HTMX)
    tell()
    assert not mailoutbox


def test_other_places_are_told_even_while_somebody_watches(admin, admin_client, settings):
    settings.NOTIFY_URLS = ["json://127.0.0.1:1/never-asked"]
    batch = batch_of(admin, State.DONE)
    job = ended(created_by=admin, name="Lea")
    note_watching(admin.pk, batch)
    note_watching(admin.pk, job)
    notices.tell()
    titles = Message.objects.values_list("title", flat=True)
    assert sorted(titles) == ["Done: Lea", "Done: batch March"]


def test_a_batch_of_thousands_costs_no_more_queries(admin, django_assert_max_num_queries):
    batch = batch_of(admin, State.DONE)
    MigrationJob.objects.bulk_create(
        MigrationJob(
            batch=batch,
            run=1,
            state=State.DONE,
            source_host="old",
            source_port=993,
            destination_host="new",
            destination_port=993,
            ended_at=timezone.now(),
        )
        for _ in range(2000)
    )
    with django_assert_max_num_queries(25):
        notices.tell()
    assert Message.objects.count() == 1
