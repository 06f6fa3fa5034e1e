"""One demo for many journeys: before each it is what it was at first, without a new start."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from purelymanage.jobs.tests.processes import settles
from purelymanage.tests.panel import DATABASE, MAIL, Panel

TIMEOUT = 30.0
CLOCKS = {
    "django_q_schedule": ("next_run",),
    "jobs_workerhost": ("seen_at", "app_answered_at"),
}
"""What goes on by the clock: gone back, all schedules would be due and the workers look dead."""
JUST_SIGNED_IN = "UPDATE accounts_session SET begun_at = strftime('%Y-%m-%d %H:%M:%f', 'now')"


class Moment:
    """A running demo as it is now, to go back to. For SQLite, as those journeys run there alone."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self._live = panel.data_dir / DATABASE
        self._kept = panel.data_dir / "moment.sqlite3"
        with _open(self._live) as live, _open(self._kept) as kept:
            live.backup(kept)

    def go_back(self) -> None:
        """PurelyMail, the mail of its mailboxes and the panel's database, whoever is at work."""
        self.panel.purelymail_begins_anew()
        shutil.rmtree(self.panel.data_dir / MAIL / "new")
        (self.panel.data_dir / MAIL / "new").mkdir(mode=0o700)
        with _open(self._live) as live, _open(self._kept) as kept:
            for table, columns in CLOCKS.items():
                _bring_forward(live, kept, table, columns)
            kept.execute(JUST_SIGNED_IN)
            kept.commit()
            kept.backup(live)
        assert settles(self.panel.is_ready)


def _open(file: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(file, timeout=TIMEOUT))


def _bring_forward(
    live: sqlite3.Connection, kept: sqlite3.Connection, table: str, columns: tuple[str, ...]
) -> None:
    rows = live.execute(f"SELECT {', '.join(columns)}, id FROM {table}").fetchall()
    values = ", ".join(f"{column} = ?" for column in columns)
    kept.executemany(f"UPDATE {table} SET {values} WHERE id = ?", rows)
