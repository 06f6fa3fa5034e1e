from django.contrib import admin

from migrations_app.models import FolderResult, Limits, LogChunk, MigrationJob, Server
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


@admin.register(FolderResult)
class FolderResultInspection(InspectionAdmin):
    list_display = ["job_id", "position", "source", "found", "copied", "failed"]
    raw_id_fields = ["job"]
    ordering = ["-pk"]


@admin.register(LogChunk)
class LogChunkInspection(InspectionAdmin):
    list_display = ["pk", "job_id", "run", "at"]
    ordering = ["-pk"]


@admin.register(Limits)
class LimitsInspection(InspectionAdmin):
    list_display = ["concurrency", "per_source_host"]
