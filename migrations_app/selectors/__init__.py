"""What the pages about migrations need to know; reads only, and none of them leaves the machine."""

from migrations_app.selectors.batches import batch_of, list_batches
from migrations_app.selectors.jobs import (
    FILTERS,
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
    running_jobs,
    view_of,
)
from migrations_app.selectors.servers import (
    ServerRow,
    find_servers,
    jobs_of_server,
    list_servers,
)

__all__ = [
    "FILTERS",
    "FOLDERS_SHOWN",
    "LINES_SHOWN",
    "Folders",
    "JobFilter",
    "JobList",
    "LogLine",
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
    "running_jobs",
    "view_of",
]
