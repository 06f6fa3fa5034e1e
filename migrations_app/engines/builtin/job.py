"""What all folders of a run share: both ends, the options, the pace."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from migrations_app.engines.builtin.events import Events
from migrations_app.engines.builtin.session import Session
from migrations_app.engines.builtin.troubles import SOURCE, LostError
from migrations_app.engines.plan import Options


@dataclass
class Pace:
    """Keeps the run below its bandwidth limit."""

    bytes_per_second: int | None
    started: float = field(default_factory=time.monotonic)
    sent: int = 0

    def wait(self, size: int) -> None:
        """Sleep as long as `size` more bytes are ahead of the limit."""
        if self.bytes_per_second:
            self.sent += size
            ahead = self.sent / self.bytes_per_second - (time.monotonic() - self.started)
            if ahead > 0:
                time.sleep(ahead)


@dataclass
class Job:
    """One run."""

    source: Session
    destination: Session
    options: Options
    is_dry_run: bool
    events: Events
    pace: Pace
    most_bytes: int | None = None
    quota_refusals: int = 0

    def reopen(self, error: LostError) -> None:
        """Open the lost connection again."""
        session = self.source if error.side == SOURCE else self.destination
        self.events.log(f"Connection to the {session.name} lost: {error.text}", "warning")
        session.reopen()
        self.events.log(f"Connected to the {session.name} again")
