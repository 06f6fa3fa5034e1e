"""A worker that is really killed while it looks at mailboxes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings

from migrations_app.checks import checkup
from migrations_app.imap import survey as imap_survey
from migrations_app.imap.survey import Found
from migrations_app.models import Check, CheckState, MigrationJob, State
from migrations_app.services import checks as services
from migrations_app.tests.dovecot import SilentServer
from migrations_app.tests.factories import JobFactory
from migrations_app.tests.workers import database_url
from purelymanage.jobs.clock import seconds_from_now
from purelymanage.jobs.models import TaskLock
from purelymanage.jobs.tests.processes import settles

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
WORKER = "from migrations_app.tasks import check_mailboxes; check_mailboxes()"


def test_what_a_killed_worker_had_in_hand_is_looked_at_by_the_next_one(
    silent_server: SilentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = {"source_host": "127.0.0.1", "source_port": silent_server.port}
    JobFactory.create_batch(3, state=State.QUEUED, source_security="none", **place)
    services.check_jobs(jobs=MigrationJob.objects.all())
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "purelymanage.settings_test",
        "DATABASE_URL": database_url(),
        "IMAP_ALLOW_LOCAL": "on",
    }
    worker = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", WORKER],
        env=environment,
        cwd=settings.BASE_DIR,
    )
    running = Check.objects.filter(state=CheckState.RUNNING)
    try:
        assert settles(lambda: running.count() == checkup.PER_HOST, 30)
        checkup.work()
        assert running.count() == checkup.PER_HOST, "another worker has them in hand"
    finally:
        worker.kill()
        worker.wait(10)
    monkeypatch.setattr(imap_survey, "survey", lambda *_end, **_how: Found(1, 2, 3))
    TaskLock.objects.update(held_until=seconds_from_now(-1))
    checkup.work()
    assert Check.objects.filter(state=CheckState.READY).count() == 3
