"""Workers that can be killed: real processes, forked off a warm one so that fifty take seconds."""

from __future__ import annotations

import os
import subprocess
import sys

from django.conf import settings

from migrations_app.tests.workers import database_url
from purelymanage.jobs.tests.processes import gone, settles

NURSERY = """
import os, signal, sys, traceback
import django
django.setup()
from purelymanage.deletions.tasks import run_due
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("ready", flush=True)
for _line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        try:
            run_due()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    print(pid, flush=True)
"""


class Nursery:
    """`begin()` starts a worker that executes once what is due; gives its process id."""

    def __init__(self, purelymail):
        self._process = subprocess.Popen(
            [sys.executable, "-c", NURSERY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=settings.BASE_DIR,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "purelymanage.settings_test",
                "DATABASE_URL": database_url(),
                "PURELYMAIL_API_URL": purelymail.url,
                "PURELYMAIL_API_TOKEN": purelymail.token,
            },
        )
        assert self._process.stdout.readline() == "ready\n"

    def begin(self):
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def run(self, number=1):
        """So many at once, until all have ended."""
        pids = [self.begin() for _ in range(number)]
        assert settles(lambda: gone(pids), 30)

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)
