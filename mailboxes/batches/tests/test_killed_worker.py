"""A worker process that is really killed in the middle of a call."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from django.conf import settings

from mailboxes.batches.models import MailboxBatch, RowState
from mailboxes.batches.tests.helpers import drain, passwords_work, start, states, table
from mailboxes.batches.tests.test_runner_faults import lapse
from mailboxes.models import Mailbox
from migrations_app.tests.workers import database_url
from purelymanage.jobs.tests.processes import settles

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
LATE = 6.0
WORKER = "from mailboxes.tasks import work_on_batches; work_on_batches()"


@pytest.mark.parametrize("has_effect_first", [True, False])
def test_nothing_is_created_twice_nor_lost_when_the_worker_is_killed(
    admin, domain, purelymail, has_effect_first
):
    batch = start(admin, table(5))
    purelymail.fault("createUser", "latency", seconds=LATE, after=has_effect_first)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "purelymanage.settings_test",
        "DATABASE_URL": database_url(),
        "PURELYMAIL_API_URL": purelymail.url,
        "PURELYMAIL_API_TOKEN": purelymail.token,
    }
    worker = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", WORKER],
        env=environment,
        cwd=settings.BASE_DIR,
    )
    try:
        assert settles(lambda: purelymail.calls["createUser"] == 1, 30)
        called = time.monotonic()
        assert settles(lambda: len(purelymail.state.users) == int(has_effect_first), 5)
    finally:
        worker.kill()
        worker.wait(10)
    assert states(batch) == {"started": 1, "ready": 4}
    lapse(batch)
    drain()
    row = batch.rows.get(line=2)
    if has_effect_first:
        assert row.state == RowState.FAILED
        assert "Reset its password" in row.message
        assert purelymail.calls["createUser"] == 5
    else:
        assert row.state == RowState.DONE
        assert purelymail.calls["createUser"] == 6, "its first call had not arrived yet"
    assert batch.rows.exclude(line=2).filter(state=RowState.DONE).count() == 4
    assert len(purelymail.state.users) == Mailbox.objects.count() == 5
    time.sleep(max(0, called + LATE + 0.5 - time.monotonic()))  # the call itself is still to arrive
    assert passwords_work(purelymail, batch)
    assert not MailboxBatch.objects.exclude(resume_at=None).exists()
