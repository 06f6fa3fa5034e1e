"""What a newcomer finds in the demo: both servers, already defined."""

from __future__ import annotations

from django.conf import settings

from audit.actions import Action
from audit.services import audited
from migrations_app.models import MigrationJob, Security, Server
from purelymanage.demo.imap import HOST


def define_servers() -> list[Server]:
    """Add "Old provider" and "PurelyMail" on first start; later the admin's changes stand."""
    if Server.objects.exists() or MigrationJob.objects.exists():
        return []
    ports = {"Old provider": settings.DEMO_OLD_PORT, "PurelyMail": settings.DEMO_NEW_PORT}
    servers = []
    for name, port in ports.items():
        with audited(Action.SERVER_CREATED, target=name):
            servers.append(
                Server.objects.create(name=name, host=HOST, port=port, security=Security.NONE)
            )
    return servers
