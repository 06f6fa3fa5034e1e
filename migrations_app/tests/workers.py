"""Real supervisors on the test's database: to be killed, stopped and watched."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from django.db import connection

from migrations_app.tests.queueing import FAKE
from purelymanage.jobs.tests.processes import settles
from purelymanage.settings import CACHES
from purelymanage.tests.panel import MANAGE

CACHE_TABLE = CACHES["default"]["LOCATION"]


def database_url() -> str:
    """The test database, as DATABASE_URL."""
    facts = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{facts['NAME']}"
    place = f"{facts['HOST'] or 'localhost'}:{facts['PORT'] or 5432}"
    secret = f":{facts['PASSWORD']}" if facts["PASSWORD"] else ""
    return f"postgres://{facts['USER']}{secret}@{place}/{facts['NAME']}"


class Workers:
    """`manage.py workers` as a process of its own."""

    def __init__(self, directory: Path, *, url: str = "", capacity: int = 4) -> None:
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "purelymanage.settings",
            "DATABASE_URL": url or database_url(),
            "DATA_DIR": str(directory),
            "MIGRATION_ENGINE": "imapsync",
            "IMAPSYNC_PATH": str(FAKE),
            "SYNC_WORKERS": str(capacity),
            "LOG_LEVEL": "WARNING",
        }
        if not url and CACHE_TABLE not in connection.introspection.table_names():
            self.manage("createcachetable")  # which the settings of tests need not
        self.supervisor = subprocess.Popen(
            [*MANAGE, "workers"], env=self.environment, start_new_session=True
        )

    def manage(self, *command: str) -> None:
        """Run one of our commands with the settings of these workers."""
        subprocess.run([*MANAGE, *command], env=self.environment, check=True)

    def family(self) -> list[int]:
        """Every process below the supervisor, and engines by their working directory."""
        below: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                except OSError:
                    continue
                below.setdefault(parent, []).append(int(entry.name))
        found, todo = [], [self.supervisor.pid]
        while todo:
            children = below.get(todo.pop(), [])
            found += children
            todo += children
        return found

    def named(self, *words: str) -> list[int]:
        """Those of the family with all `words` on their command line or in their environment."""
        return [pid for pid in self.family() if all(word in self._about(pid) for word in words)]

    def main_of(self, cluster: str) -> int:
        """The main process of a cluster: below a guard, above a sentinel."""

        def mains() -> list[int]:
            return [
                pid
                for pid in self.named("manage.py", "qcluster")
                if "guard.py" not in self._about(pid)
                and "guard.py" in self._about(self.parent(pid))
                and ("Q_CLUSTER_NAME=sync" in self._about(pid)) == (cluster == "sync")
            ]

        return int(settles(mains, 10)[0])

    def children(self, pid: int) -> list[int]:
        return [other for other in self.family() if self.parent(other) == pid]

    def parent(self, pid: int) -> int:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])

    def stop(self, number: int = signal.SIGTERM) -> float:
        """Seconds that stopping took."""
        started = time.monotonic()
        self.supervisor.send_signal(number)
        self.supervisor.wait(60)
        return time.monotonic() - started

    def _about(self, pid: int) -> str:
        try:
            return "".join(
                (Path("/proc") / str(pid) / name).read_bytes().decode(errors="replace")
                for name in ("cmdline", "environ")
            )
        except OSError:
            return ""
