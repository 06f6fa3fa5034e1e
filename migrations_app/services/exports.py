"""Files about migrations that leave the panel: they name people."""

from __future__ import annotations

from audit.actions import Action
from audit.services import record
from migrations_app.models import Batch, MigrationJob


def note_export(exported: Batch | MigrationJob, *, what: str, kind: str) -> None:
    """Put on record that somebody took such a file along."""
    of_job = isinstance(exported, MigrationJob)
    action = Action.JOB_EXPORTED if of_job else Action.MIGRATIONS_EXPORTED
    record(action, target=exported, after={"what": what, "format": kind})
