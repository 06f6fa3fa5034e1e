from django.contrib import admin

from migrations_app.models import (
    Batch,
    BatchLine,
    BulkWork,
    Check,
    CutOver,
    FolderResult,
    HostLimits,
    HostUse,
    Limits,
    LogChunk,
    Loss,
    MigrationJob,
    Server,
    TemporaryPassword,
    Watch,
)
from purelymanage.core.inspection import InspectionAdmin


@admin.register(Server)
class ServerInspection(InspectionAdmin):
    list_display = ["name", "host", "port", "security"]
    search_fields = ["name", "host"]


@admin.register(MigrationJob)
class MigrationJobInspection(InspectionAdmin):
    """Passwords are encrypted fields, so they are not on the page."""

    list_display = ["pk", "name", "state", "source_address", "destination_address", "queued_at"]
    list_filter = ["state", "engine", "dry_run"]
    search_fields = ["name", "source_address", "destination_address"]
    ordering = ["-pk"]


@admin.register(Batch)
class BatchInspection(InspectionAdmin):
    list_display = ["pk", "name", "state", "created_by_name", "created_at", "dry_run"]
    list_filter = ["state"]
    search_fields = ["name"]
    ordering = ["-pk"]


@admin.register(BatchLine)
class BatchLineInspection(InspectionAdmin):
    """Passwords are encrypted fields, so they are not on the page."""

    list_display = ["pk", "batch_id", "line", "state", "source_address", "destination_address"]
    list_filter = ["state"]
    raw_id_fields = ["batch", "job"]
    ordering = ["-pk"]


@admin.register(BulkWork)
class BulkWorkInspection(InspectionAdmin):
    list_display = ["pk", "action", "batch_id", "done", "refused", "total", "created_at"]
    list_filter = ["action"]
    raw_id_fields = ["batch"]
    ordering = ["-pk"]


@admin.register(FolderResult)
class FolderResultInspection(InspectionAdmin):
    list_display = ["job_id", "position", "source", "found", "copied", "failed"]
    raw_id_fields = ["job"]
    ordering = ["-pk"]


@admin.register(Loss)
class LossInspection(InspectionAdmin):
    list_display = ["job_id", "position", "folder", "uid", "bytes"]
    raw_id_fields = ["job"]
    ordering = ["-pk"]


@admin.register(LogChunk)
class LogChunkInspection(InspectionAdmin):
    list_display = ["pk", "job_id", "run", "at"]
    ordering = ["-pk"]


@admin.register(Limits)
class LimitsInspection(InspectionAdmin):
    list_display = ["concurrency", "per_source_host"]


@admin.register(TemporaryPassword)
class TemporaryPasswordInspection(InspectionAdmin):
    """The secret is an encrypted field, so it is not on the page."""

    list_display = ["pk", "address", "job_id", "run", "asked_at", "made_at", "revoked_at", "tries"]
    search_fields = ["address"]
    ordering = ["-pk"]


@admin.register(Check)
class CheckInspection(InspectionAdmin):
    list_display = ["pk", "job_id", "state", "cause", "checked_at", "messages", "bytes"]
    list_filter = ["state"]
    raw_id_fields = ["job"]
    ordering = ["-pk"]


@admin.register(HostLimits)
class HostLimitsInspection(InspectionAdmin):
    list_display = ["host", "at_once", "bytes_per_second", "bytes_per_day", "closed_until"]
    search_fields = ["host"]


@admin.register(HostUse)
class HostUseInspection(InspectionAdmin):
    list_display = ["day", "host", "mailbox", "bytes"]
    search_fields = ["host", "mailbox"]
    ordering = ["-day", "host", "mailbox"]


@admin.register(CutOver)
class CutOverInspection(InspectionAdmin):
    list_display = ["pk", "domain", "batch_id", "step", "step_since", "ended_at", "stopped_at"]
    list_filter = ["step"]
    search_fields = ["domain"]
    ordering = ["-pk"]


@admin.register(Watch)
class WatchInspection(InspectionAdmin):
    list_display = ["user", "page", "seen_at"]
