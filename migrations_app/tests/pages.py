"""What the tests of pages ask with, and what they begin with."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils import timezone

from migrations_app.models import MigrationJob, State
from migrations_app.tests.factories import (
    FolderFactory,
    JobFactory,
    LogFactory,
    RunningJobFactory,
    ServerFactory,
)

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/migrations/?state=failed"}
LINE = "2026-11-20T14:38:02.000+00:00 info {}\n"


def url(name: str, *args: object) -> str:
    return reverse(f"migrations:{name}", args=args)


def text_of(response: Any) -> str:
    if response.streaming:
        return b"".join(response.streaming_content).decode()
    return response.content.decode()


def job_data(**changes: Any) -> dict[str, Any]:
    data = {
        "source_server": ServerFactory().pk,
        "source_address": "anna@old.example",
        "source_password": "typed-old",
        "destination_server": ServerFactory().pk,
        "destination_address": "anna@new.example",
        "destination_password": "typed-new",
        "dry_run": "on",
    }
    return data | changes


def in_every_state() -> list[MigrationJob]:
    now = timezone.now()
    ended = [
        JobFactory(state=state, ended_at=now, dry_run=state == State.DONE, verdict="So. Next.")
        for state in State
        if state != State.RUNNING
    ]
    running = RunningJobFactory()
    FolderFactory(job=running)
    LogFactory(job=running, text=LINE.format("hello"))
    given_up = JobFactory(state=State.INTERRUPTED, requeues=9, source_password="")
    comparing = RunningJobFactory(messages_total=None, bytes_total=None, phase="compare")
    return [*ended, running, given_up, comparing]
