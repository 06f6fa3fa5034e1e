"""IMAP servers, the migration jobs that bring mail in, and what keeps many of them together."""

from migrations_app.models.access import TemporaryPassword
from migrations_app.models.batches import (
    Batch,
    BatchLine,
    BatchState,
    BulkAction,
    BulkWork,
    LineState,
)
from migrations_app.models.cutovers import CutOver, CutOverStep
from migrations_app.models.jobs import (
    ENDED_WELL,
    FINISHED,
    HELD_BACK,
    LATEST,
    LATEST_FIRST,
    MAX_REQUEUES,
    RUNS_FIRST,
    TO_DO,
    WAITING,
    MigrationJob,
    Phase,
    State,
)
from migrations_app.models.notices import Watch
from migrations_app.models.results import Check, CheckState, FolderResult, LogChunk, Loss
from migrations_app.models.servers import HostLimits, HostUse, Limits, Security, Server

__all__ = [
    "ENDED_WELL",
    "FINISHED",
    "HELD_BACK",
    "LATEST",
    "LATEST_FIRST",
    "MAX_REQUEUES",
    "RUNS_FIRST",
    "TO_DO",
    "WAITING",
    "Batch",
    "BatchLine",
    "BatchState",
    "BulkAction",
    "BulkWork",
    "Check",
    "CheckState",
    "CutOver",
    "CutOverStep",
    "FolderResult",
    "HostLimits",
    "HostUse",
    "Limits",
    "LineState",
    "LogChunk",
    "Loss",
    "MigrationJob",
    "Phase",
    "Security",
    "Server",
    "State",
    "TemporaryPassword",
    "Watch",
]
