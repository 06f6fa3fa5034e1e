"""What the pages about migrations need to know; reads only, and none of them leaves the machine."""

from migrations_app.selectors.batches import (
    batch_of,
    list_batches,
    unfinished_batches,
    view_of_batch,
    works_of,
)
from migrations_app.selectors.jobs import (
    FILTERS,
    FITS,
    FOLDERS_SHOWN,
    LINES_SHOWN,
    Folders,
    JobFilter,
    JobList,
    LogLine,
    find_jobs,
    folders_of,
    list_jobs,
    list_known,
    log_lines,
    matching,
    running_jobs,
    view_of,
)
from migrations_app.selectors.losses import Losses, losses_of
from migrations_app.selectors.servers import (
    ServerRow,
    find_servers,
    jobs_of_server,
    list_servers,
)

__all__ = [
    "FILTERS",
    "FITS",
    "FOLDERS_SHOWN",
    "LINES_SHOWN",
    "Folders",
    "JobFilter",
    "JobList",
    "LogLine",
    "Losses",
    "ServerRow",
    "batch_of",
    "find_jobs",
    "find_servers",
    "folders_of",
    "jobs_of_server",
    "list_batches",
    "list_jobs",
    "list_known",
    "list_servers",
    "log_lines",
    "losses_of",
    "matching",
    "running_jobs",
    "unfinished_batches",
    "view_of",
    "view_of_batch",
    "works_of",
]
