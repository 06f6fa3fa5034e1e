"""An app password made for a run is revoked after it, however the run ended."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone
from django_q.models import OrmQ

from audit.actions import Action
from audit.models import Entry
from mailboxes.models import Mailbox
from mailboxes.services.renaming import rename_mailbox
from mailboxes.tests.factories import MailboxFactory
from migrations_app.engines.causes import Cause
from migrations_app.imap import survey as imap_survey
from migrations_app.models import MigrationJob, State, TemporaryPassword
from migrations_app.queueing import queue
from migrations_app.running import logs, runner
from migrations_app.services import temporary_passwords as services
from migrations_app.tests.queueing import FAKE, make_job
from migrations_app.tests.runs import endpoint
from purelymanage.core.errors import RefusedError, UnavailableError
from purelymanage.crypto import is_envelope
from purelymanage.jobs.clock import seconds_from_now
from purelymanage.purelymail.errors import UnknownOutcomeError

pytestmark = pytest.mark.django_db(transaction=True)
LEA = "lea@new.example"


@pytest.fixture(autouse=True)
def _stand_in(settings, tmp_path):
    settings.MIGRATION_ENGINE = "imapsync"
    settings.IMAPSYNC_PATH = str(FAKE)
    settings.DATA_DIR = tmp_path
    settings.WORKER_HOST = "a:1"
    settings.PURELYMAIL_IMAP_URL = "imaps://new.example:993"


@pytest.fixture
def lea(purelymail):
    """A mailbox of ours at PurelyMail."""
    purelymail.state.add_domain("new.example")
    MailboxFactory(address=LEA)
    return purelymail.state.add_user(LEA, password="her own")


@pytest.fixture
def login(monkeypatch):
    """What PurelyMail's IMAP server says to a password, and what it was asked."""

    class Login:
        answer: bool | None = False
        asked: list[tuple[str, str]] = []

    Login.asked = []

    def lets_in(end, password):
        Login.asked.append((end.user, password))
        return Login.answer

    monkeypatch.setattr(services, "lets_in", lets_in)
    return Login


def claimed(**facts) -> MigrationJob:
    behaviour = facts.pop("behaviour", None)
    make_job(
        "lea",
        behaviour=behaviour,
        destination_password="",
        destination_address="Lea@new.example",
        uses_app_password=True,
        **facts,
    )
    return queue.claim("a:1")


def over(job: MigrationJob) -> None:
    MigrationJob.objects.filter(pk=job.pk).update(state=State.DONE, token=None)


def later(row: TemporaryPassword) -> None:
    """The pause before its next try is over."""
    TemporaryPassword.objects.filter(pk=row.pk).update(try_after=seconds_from_now(-1))


def actions() -> list[str]:
    wanted = (Action.APP_PASSWORD_CREATED, Action.APP_PASSWORD_REVOKED)
    return list(
        Entry.objects.filter(action__in=wanted).order_by("pk").values_list("action", flat=True)
    )


@pytest.mark.parametrize(
    ("behaviour", "state"),
    [
        ({}, State.DONE),
        ({"mails": 0, "status": 16}, State.FAILED),
        ({"crash": 9}, State.INTERRUPTED),
    ],
)
def test_it_is_made_for_the_run_and_revoked_whatever_its_end(lea, purelymail, behaviour, state):
    job = claimed(behaviour=behaviour)
    runner.run(job)
    job.refresh_from_db()
    assert job.state == state or job.retries, "what passes by itself is tried again"
    row = TemporaryPassword.objects.get()
    assert (row.job, row.run, row.address) == (job, 1, LEA)
    assert len(lea.app_passwords) == 1, "nobody revokes but a worker of the app cluster"
    assert services.REVOKE in [message.task["func"] for message in OrmQ.objects.all()]

    services.revoke_due()

    row.refresh_from_db()
    assert lea.app_passwords == []
    assert row.revoked_at
    assert not row.secret
    assert actions() == [Action.APP_PASSWORD_CREATED, Action.APP_PASSWORD_REVOKED]
    assert {entry.target for entry in Entry.objects.filter(action__startswith="app_")} == {LEA}
    services.revoke_due()
    assert purelymail.calls["deleteAppPassword"] == 1


def test_nobody_is_told_to_correct_a_password_that_nobody_typed(lea, purelymail):
    job = claimed(behaviour={"mails": 0, "status": 162})
    runner.run(job)
    job.refresh_from_db()
    assert (job.state, job.cause) == (State.QUEUED, Cause.DESTINATION_PASSWORD)
    assert "did not take the app password that was made for this run" in job.verdict
    assert "Check the address" not in job.verdict


def test_the_engine_is_given_the_secret_and_the_row_keeps_it_sealed(lea, purelymail):
    job = claimed(behaviour={"echo": 1})
    runner.run(job)
    row = TemporaryPassword.objects.get()
    secret = row.secret.reveal()
    assert purelymail.state.verify_password(LEA, secret)
    stored = TemporaryPassword.objects.values_list("secret", flat=True).get()
    assert is_envelope(str(stored))
    text = logs.tail(job).text
    assert "Made a temporary app password" in text
    assert secret not in text
    assert "••••••••" in text, "the engine printed it"
    assert secret not in json.dumps(list(Entry.objects.values("before", "after", "target")))


def test_while_the_run_lasts_nobody_revokes_it(lea):
    job = claimed()
    services.make(job)
    services.revoke_due()
    assert len(lea.app_passwords) == 1
    over(job)
    services.revoke_due()
    assert lea.app_passwords == []


def test_the_next_run_makes_its_own_and_the_last_one_is_revoked_meanwhile(lea, purelymail):
    job = claimed()
    services.make(job)
    MigrationJob.objects.filter(pk=job.pk).update(lease_until=seconds_from_now(-1))
    queue.reap()
    again = queue.claim("b:1")
    second = services.make(again)
    services.revoke_due()
    assert len(lea.app_passwords) == 1
    assert purelymail.state.verify_password(LEA, second)


def test_a_deleted_job_leaves_it_to_be_revoked(lea):
    job = claimed()
    services.make(job)
    MigrationJob.objects.all().delete()
    services.revoke_due()
    assert lea.app_passwords == []
    assert TemporaryPassword.objects.get().job is None


def test_a_call_without_answer_leaves_a_row_that_a_person_sees(lea, purelymail):
    purelymail.fault("createAppPassword", "drop_after")
    job = claimed()
    runner.run(job)
    job.refresh_from_db()
    row = TemporaryPassword.objects.get()
    assert len(lea.app_passwords) == 1
    assert not row.secret
    assert "nobody knows may now exist" in row.problem
    assert job.cause == Cause.PURELYMAIL_SILENT
    assert "nobody knows may now exist" in job.verdict
    services.revoke_due()
    assert purelymail.calls["deleteAppPassword"] == 0, "it cannot be named"


def test_a_call_that_was_not_carried_out_leaves_nothing(lea, purelymail):
    job = claimed()
    purelymail.fault("createAppPassword", "rate_limit", times=None, retry_after=60)
    with pytest.raises(UnavailableError):
        services.make(job)
    assert not TemporaryPassword.objects.exists()


def test_while_purelymail_is_silent_already_none_is_asked_for(lea, purelymail):
    """Else each try of each job of a batch would leave one that nobody knows."""
    purelymail.fault("*", "http_500", times=None)
    job = claimed()
    runner.run(job)
    job.refresh_from_db()
    assert job.cause == Cause.PURELYMAIL_SILENT
    assert job.try_after
    assert purelymail.calls["createAppPassword"] == 0
    assert not TemporaryPassword.objects.exists()


def test_none_is_made_for_a_server_that_is_not_purelymails(lea, purelymail, settings):
    """The setting may have changed since the job was made."""
    settings.PURELYMAIL_IMAP_URL = "imaps://elsewhere.example:993"
    job = claimed()
    runner.run(job)
    job.refresh_from_db()
    assert (job.state, job.cause) == (State.FAILED, Cause.NO_APP_PASSWORD)
    assert not purelymail.calls


def test_a_mailbox_that_is_gone_fails_the_job_for_good(purelymail):
    MailboxFactory(address=LEA)
    job = claimed()
    runner.run(job)
    job.refresh_from_db()
    assert (job.state, job.cause) == (State.FAILED, Cause.NO_APP_PASSWORD)
    assert "not at PurelyMail any more" in job.verdict
    assert not TemporaryPassword.objects.exists()


def test_what_cannot_be_stored_is_revoked_at_once(lea, purelymail, monkeypatch):
    job = claimed()

    def save(*_args, **_options):
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(TemporaryPassword, "save", save)
    monkeypatch.setattr(
        TemporaryPassword.objects,
        "create",
        lambda **facts: TemporaryPassword.objects.bulk_create([TemporaryPassword(**facts)])[0],
    )
    with pytest.raises(DatabaseError):
        services.make(job)
    assert purelymail.calls["createAppPassword"] == 1
    assert lea.app_passwords == []


def test_a_database_that_was_restarted_while_purelymail_was_asked_stores_it(lea):
    job = claimed()
    whole = services.get_client().create_app_password

    def slow(self, **facts):
        connection.connection.close()
        return whole(**facts)

    with patch.object(type(services.get_client()), "create_app_password", slow):
        secret = services.make(job)
    assert TemporaryPassword.objects.get().secret.reveal() == secret
    assert actions() == [Action.APP_PASSWORD_CREATED]


@pytest.mark.parametrize(("answer", "is_revoked"), [(False, True), (True, False), (None, False)])
@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
def test_after_a_lost_answer_a_login_decides(lea, purelymail, login, fault, answer, is_revoked):
    job = claimed()
    secret = services.make(job)
    over(job)
    login.answer = answer
    purelymail.fault("deleteAppPassword", fault)
    services.revoke_due()
    assert login.asked == [(LEA, secret)]
    row = TemporaryPassword.objects.get()
    assert bool(row.revoked_at) == is_revoked
    if not is_revoked:
        assert "not known whether" in row.problem
        assert timedelta(seconds=50) < row.try_after - timezone.now() < timedelta(seconds=70)


def test_one_that_an_earlier_call_revoked_is_known_by_its_login(lea, purelymail, login):
    """The worker was killed between the call and the row."""
    job = claimed()
    services.make(job)
    over(job)
    lea.app_passwords.clear()
    services.revoke_due()
    row = TemporaryPassword.objects.get()
    assert login.asked
    assert row.revoked_at
    assert not row.secret


def test_a_refusal_while_it_still_opens_the_mailbox_is_tried_again(lea, login):
    job = claimed()
    services.make(job)
    over(job)
    lea.app_passwords.clear()
    login.answer = True
    services.revoke_due()
    row = TemporaryPassword.objects.get()
    assert not row.revoked_at
    assert row.secret
    assert row.tries == 1
    assert row.problem


def test_the_pause_doubles_up_to_an_hour_and_never_ends(lea, purelymail, login):
    login.answer = None
    job = claimed()
    services.make(job)
    over(job)
    purelymail.down()
    pauses = []
    for _number in range(9):
        services.revoke_due()
        row = TemporaryPassword.objects.get()
        pauses.append(round((row.try_after - timezone.now()).total_seconds() / 60))
        later(row)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    purelymail.up()
    services.revoke_due()
    assert lea.app_passwords == []


def test_while_nobody_answers_one_question_is_enough(lea, purelymail, login):
    login.answer = None
    for _number in range(3):
        job = claimed()
        services.make(job)
        over(job)
    purelymail.fault("deleteAppPassword", "rate_limit", times=None, retry_after=60)
    services.revoke_due()
    assert purelymail.calls["deleteAppPassword"] == 1


def test_a_mailbox_that_was_deleted_took_it_along(lea, purelymail, login):
    services.make(job := claimed())
    over(job)
    del purelymail.state.users[LEA]
    services.revoke_due()
    row = TemporaryPassword.objects.get()
    assert not row.revoked_at, "in our list it still is, so it may be renamed just now"
    Mailbox.objects.all().delete()
    later(row)
    login.answer = True
    services.revoke_due()
    row.refresh_from_db()
    assert not row.revoked_at, "it is there, and another account was asked"
    later(row)
    login.answer = None
    services.revoke_due()
    row.refresh_from_db()
    assert row.secret, "nobody answered, so it may be there all the same"
    later(row)
    login.answer = False
    services.revoke_due()
    row.refresh_from_db()
    assert row.revoked_at
    assert not row.secret


def test_a_renamed_mailbox_has_it_revoked_under_its_new_name(lea, purelymail):
    job = claimed()
    secret = services.make(job)
    mailbox = Mailbox.objects.get()
    rename_mailbox(mailbox=mailbox, local_part="lea.f", domain=mailbox.domain)
    renamed = purelymail.state.users["lea.f@new.example"]
    assert purelymail.state.verify_password("lea.f@new.example", secret)
    over(job)
    services.revoke_due()
    assert renamed.app_passwords == []
    row = TemporaryPassword.objects.get()
    assert row.revoked_at
    assert row.address == "lea.f@new.example"


def test_one_whose_mailbox_is_renamed_while_it_is_tried_is_not_forgotten(lea, login, monkeypatch):
    services.make(job := claimed())
    over(job)

    def end(row, secret):
        services.follow(LEA, "lea.f@new.example")

    monkeypatch.setattr(services, "_end", end)
    services.revoke_due()
    row = TemporaryPassword.objects.get()
    assert row.secret
    assert not row.revoked_at


def test_a_lost_key_is_told_and_tried_again(lea, settings):
    job = claimed()
    services.make(job)
    over(job)
    keys = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = ["YW5vdGhlciBrZXkgb2YgZXhhY3RseSAzMiBieXRlcyE="]
    services.revoke_due()
    row = TemporaryPassword.objects.get()
    assert "does not open" in row.problem
    settings.ENCRYPTION_KEYS = keys
    later(row)
    services.revoke_due()
    assert lea.app_passwords == []


def test_two_workers_never_try_the_same_one(lea, purelymail):
    job = claimed()
    services.make(job)
    over(job)
    row = services._claim()
    assert row.tries == 1
    assert services._claim() is None


def test_revoked_rows_are_forgotten_after_a_month(lea):
    job = claimed()
    services.make(job)
    over(job)
    services.revoke_due()
    old = timezone.now() - timedelta(days=31)
    TemporaryPassword.objects.update(revoked_at=old)
    services.revoke_due()
    assert not TemporaryPassword.objects.exists()


def test_only_mailboxes_of_ours_at_purelymail_have_one(lea):
    place = {"host": "new.example", "port": 993}
    services.refuse_impossible(**place, address="LEA@new.example")
    with pytest.raises(RefusedError, match="no mailbox of yours"):
        services.refuse_impossible(**place, address="max@new.example")
    with pytest.raises(RefusedError, match="PurelyMail only"):
        services.refuse_impossible(host="elsewhere.example", port=993, address=LEA)


def test_settling_one_by_hand_ends_it_once(lea, purelymail):
    purelymail.fault("createAppPassword", "drop_after")
    with pytest.raises(UnknownOutcomeError):
        services.make(claimed())
    row = TemporaryPassword.objects.get()
    services.settle(password=row)
    row.refresh_from_db()
    assert row.revoked_at
    with pytest.raises(RefusedError):
        services.settle(password=row)


def test_one_in_use_is_not_settled(lea):
    services.make(claimed())
    row = TemporaryPassword.objects.get()
    with pytest.raises(RefusedError, match="in use"):
        services.settle(password=row)
    row.refresh_from_db()
    assert row.secret


def test_one_whose_answer_is_still_to_come_is_not_settled(lea):
    """Its page was open since before: what is stored a moment later would be forgotten."""
    row = TemporaryPassword.objects.create(job=claimed(), run=1, address=LEA)
    before = TemporaryPassword.objects.get()
    with pytest.raises(RefusedError):
        services.settle(password=before)
    services._store(row, "abcdefghijklmnopqrst")
    with pytest.raises(RefusedError):
        services.settle(password=before)
    row.refresh_from_db()
    assert row.secret


def test_an_answer_that_comes_after_a_person_gave_up_has_it_revoked(lea, purelymail):
    """A host that stood still for long: what it was told would else stay alive unseen."""
    job = claimed()
    whole = services.get_client().create_app_password

    def late(self, **facts):
        secret = whole(**facts)
        long_ago = timezone.now() - timedelta(hours=1)
        TemporaryPassword.objects.update(asked_at=long_ago)
        services.settle(password=TemporaryPassword.objects.get())
        return secret

    with patch.object(type(services.get_client()), "create_app_password", late):
        services.make(job)
    assert len(lea.app_passwords) == 1
    over(job)
    services.revoke_due()
    assert lea.app_passwords == []


def test_it_bears_the_name_that_its_page_tells(lea, purelymail, monkeypatch):
    names = []
    whole = services.get_client().create_app_password

    def named(self, *, address, name):
        names.append(name)
        return whole(address=address, name=name)

    monkeypatch.setattr(type(services.get_client()), "create_app_password", named)
    services.make(claimed())
    assert names == [TemporaryPassword.objects.get().name]


def test_a_real_login_tells_a_revoked_password(imap_pair):
    imap_pair.destination.add_user("lea@temporary.example", "still valid")
    end = endpoint(imap_pair.destination, "lea@temporary.example")
    assert imap_survey.lets_in(end, "still valid") is True
    assert imap_survey.lets_in(end, "revoked") is False
    assert imap_survey.lets_in(replace(end, port=1), "still valid") is None
