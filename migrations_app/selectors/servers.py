"""What the pages about servers need to know."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from migrations_app.models import MigrationJob, Server


@dataclass(frozen=True)
class ServerRow:
    """A server with how many jobs name it."""

    server: Server
    jobs: int


def list_servers() -> list[ServerRow]:
    """All servers in order of their names, with the jobs that come from or go to them."""
    outgoing = _jobs_by("source_server")
    incoming = _jobs_by("destination_server")
    return [
        ServerRow(server, outgoing.get(server.pk, 0) + incoming.get(server.pk, 0))
        for server in Server.objects.all()
    ]


def _jobs_by(side: str) -> dict[int, int]:
    rows = MigrationJob.objects.filter(**{f"{side}__isnull": False}).values_list(side)
    return dict(rows.annotate(count=Count("pk")).order_by())


def jobs_of_server(server: Server) -> int:
    """How many jobs keep a copy of this server."""
    return MigrationJob.objects.filter(
        Q(source_server=server) | Q(destination_server=server)
    ).count()


def find_servers(text: str, *, limit: int = 5) -> list[Server]:
    """The first few servers that match, for the palette."""
    return list(Server.objects.filter(Q(name__icontains=text) | Q(host__icontains=text))[:limit])
