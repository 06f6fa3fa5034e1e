"""Rows for the tests of migrations."""

from __future__ import annotations

from typing import Any

import factory
from django.utils import timezone

from migrations_app.models import (
    Batch,
    BatchState,
    FolderResult,
    LogChunk,
    MigrationJob,
    Security,
    Server,
    State,
)

SOURCE_PASSWORD = "s0urce-never-shown"
DESTINATION_PASSWORD = "d3stination-never-shown"


class ServerFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Server

    name = factory.Sequence(lambda number: f"Server {number}")
    host = factory.Sequence(lambda number: f"imap{number}.example")
    port = 993
    security = Security.TLS


class BatchFactory(factory.django.DjangoModelFactory):
    """A batch whose jobs are made."""

    class Meta:
        model = Batch

    name = factory.Sequence(lambda number: f"Batch {number}")
    state = BatchState.ACTIVE
    created_by_name = "Ada"


class JobFactory(factory.django.DjangoModelFactory):
    """A job that has ended well, unless told otherwise."""

    class Meta:
        model = MigrationJob

    name = factory.SelfAttribute("destination_address")
    source_host = "imap.old.example"
    source_port = 993
    source_security = Security.TLS
    source_address = factory.Sequence(lambda number: f"person{number}@old.example")
    destination_host = "imap.new.example"
    destination_port = 993
    destination_security = Security.TLS
    destination_address = factory.Sequence(lambda number: f"person{number}@new.example")
    dry_run = False
    state = State.DONE

    source_password = SOURCE_PASSWORD
    destination_password = DESTINATION_PASSWORD

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **values: Any) -> Any:
        """A job copies what it needs of its servers."""
        for side in ("source", "destination"):
            server = values.get(f"{side}_server")
            if server:
                for name in ("host", "port", "security"):
                    values[f"{side}_{name}"] = getattr(server, name)
        return super()._create(model_class, *args, **values)


class RunningJobFactory(JobFactory):
    """A job in the middle of copying."""

    state = State.RUNNING
    phase = "copy"
    folder = "Sent Items"
    folders_done = 3
    folders_total = 38
    messages_done = 8412
    messages_total = 12370
    messages_failed = 1
    bytes_done = 2_100_000_000
    bytes_total = 3_400_000_000
    version = 7
    started_at = factory.LazyFunction(lambda: timezone.now() - timezone.timedelta(minutes=10))


class FolderFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = FolderResult

    job = factory.SubFactory(JobFactory)
    position = factory.Sequence(int)
    source = factory.Sequence(lambda number: f"Folder {number}")
    destination = factory.SelfAttribute("source")


class LogFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = LogChunk

    job = factory.SubFactory(JobFactory)
    run = 1
