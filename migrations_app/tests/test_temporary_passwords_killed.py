"""Workers that are really killed while they hold a temporary app password."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from mailboxes.tests.factories import MailboxFactory
from migrations_app.models import MigrationJob, State, TemporaryPassword
from migrations_app.queueing import queue
from migrations_app.services import temporary_passwords as services
from migrations_app.tests.queueing import FAKE, make_job
from migrations_app.tests.workers import database_url
from purelymanage.jobs.clock import seconds_from_now
from purelymanage.jobs.tests.processes import settles

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
LEA = "lea@new.example"
PURELYMAIL = "imaps://new.example:993"
LATE = 30.0
RUN = "from migrations_app.tasks import run_next; run_next()"
SWEEP = "from migrations_app.tasks import revoke_passwords; revoke_passwords()"


@pytest.fixture
def lea(purelymail, settings):
    settings.PURELYMAIL_IMAP_URL = PURELYMAIL
    purelymail.state.add_domain("new.example")
    MailboxFactory(address=LEA)
    return purelymail.state.add_user(LEA, password="her own")


@pytest.fixture
def worker(purelymail, tmp_path):
    """A worker that does one thing, unless it is killed before."""

    @contextmanager
    def start(code: str) -> Iterator[subprocess.Popen[bytes]]:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "purelymanage.settings_test",
            "DATABASE_URL": database_url(),
            "DATA_DIR": str(tmp_path),
            "PURELYMAIL_API_URL": purelymail.url,
            "PURELYMAIL_API_TOKEN": purelymail.token,
            "PURELYMAIL_IMAP_URL": PURELYMAIL,
            "MIGRATION_ENGINE": "imapsync",
            "IMAPSYNC_PATH": str(FAKE),
            "WORKER_HOST": "a:1",
        }
        process = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "-v", "0", "-c", code],
            env=environment,
            cwd=settings.BASE_DIR,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait(10)

    return start


def job_of_lea(**behaviour: object) -> MigrationJob:
    return make_job(
        "lea",
        behaviour=behaviour,
        destination_password="",
        destination_address=LEA,
        uses_app_password=True,
    )


def lease_ends(job: MigrationJob) -> None:
    MigrationJob.objects.filter(pk=job.pk).update(lease_until=seconds_from_now(-1))
    queue.reap()
    job.refresh_from_db()
    assert job.state == State.INTERRUPTED


def again(worker, job: MigrationJob) -> None:
    """The job is taken up by another worker and comes to its end."""
    with worker(RUN) as process:
        assert process.wait(60) == 0
    job.refresh_from_db()
    assert job.state == State.DONE


def test_killed_between_making_and_storing_one_is_left_that_a_person_hears_of(
    lea, purelymail, worker
):
    job = job_of_lea(mails=1)
    purelymail.fault("createAppPassword", "latency", seconds=LATE, after=True)
    with worker(RUN):
        assert settles(lambda: len(lea.app_passwords) == 1, 60)
    lease_ends(job)
    services.revoke_due()
    lost = TemporaryPassword.objects.get()
    assert not lost.secret
    assert not lost.revoked_at
    assert purelymail.calls["deleteAppPassword"] == 0

    again(worker, job)
    services.revoke_due()
    assert len(lea.app_passwords) == 1, "the one nobody knows; that of the second run is revoked"
    assert TemporaryPassword.objects.exclude(revoked_at=None).get().run == 2


def test_killed_in_the_middle_of_the_run_none_is_left(lea, purelymail, worker, tmp_path):
    stamps = tmp_path / "stamps"
    job = job_of_lea(mails=600, pause=0.1, stamps=stamps)
    with worker(RUN):
        assert settles(lambda: MigrationJob.objects.filter(messages_done__gt=0).exists(), 60)
        assert len(lea.app_passwords) == 1
        services.revoke_due()
        assert len(lea.app_passwords) == 1, "it is in use"
    lease_ends(job)
    services.revoke_due()
    assert lea.app_passwords == []
    engine = int(Path(stamps).read_text().split()[2])
    assert settles(lambda: not Path(f"/proc/{engine}").exists(), 40)

    again(worker, job)
    services.revoke_due()
    assert lea.app_passwords == []
    assert purelymail.calls["createAppPassword"] == 2
    assert not TemporaryPassword.objects.filter(revoked_at=None).exists()


@pytest.mark.parametrize("has_effect_first", [True, False])
def test_killed_in_the_middle_of_revoking_it_is_revoked_by_the_next_one(
    lea, purelymail, worker, monkeypatch, has_effect_first
):
    asked = []
    monkeypatch.setattr(services, "lets_in", lambda end, _secret: bool(asked.append(end.user)))
    job = job_of_lea(mails=1)
    again(worker, job)
    purelymail.fault("deleteAppPassword", "latency", seconds=LATE, after=has_effect_first)
    with worker(SWEEP):
        assert settles(lambda: purelymail.calls["deleteAppPassword"] == 1, 60)
        assert settles(lambda: len(lea.app_passwords) == 1 - has_effect_first, 5)
        services.revoke_due()
        assert purelymail.calls["deleteAppPassword"] == 1, "one worker at a time"
    row = TemporaryPassword.objects.get()
    assert row.secret
    TemporaryPassword.objects.update(try_after=seconds_from_now(-1))
    services.revoke_due()
    row.refresh_from_db()
    assert row.revoked_at
    assert lea.app_passwords == []
    assert asked == ([LEA] if has_effect_first else [])
