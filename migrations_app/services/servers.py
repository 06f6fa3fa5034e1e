"""Servers come and go; jobs keep a copy of host, port and security."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import audited
from migrations_app.imap.hosts import host_problem, is_near_host, port_problem
from migrations_app.models import Security, Server
from purelymanage.core.errors import RefusedError


def create_server(*, name: str, host: str, port: int, security: str) -> Server:
    """Add a server that mail can come from or go to."""
    server = Server(name=name, host=host, port=port, security=security)
    _check(server)
    with audited(Action.SERVER_CREATED, target=name, after=_facts(server)):
        server.save()
    return server


def update_server(*, server: Server, name: str, host: str, port: int, security: str) -> Server:
    """Change a server; jobs take the new values the next time they are run by hand."""
    before = _facts(server)
    server.name, server.host, server.port, server.security = name, host, port, security
    _check(server)
    with audited(Action.SERVER_CHANGED, target=name, before=before, after=_facts(server)):
        server.save()
    return server


def delete_server(*, server: Server) -> None:
    """Delete a server; its jobs stay, with their copy of host, port and security."""
    with audited(Action.SERVER_DELETED, target=server.name, before=_facts(server)):
        server.delete()


def _check(server: Server) -> None:
    namesake = Server.objects.filter(name__iexact=server.name).exclude(pk=server.pk)
    if namesake.exists():
        raise RefusedError(
            _("A server called “%(name)s” is already here. Choose another name.")
            % {"name": server.name},
            field="name",
        )
    for field, problem in (
        ("host", host_problem(server.host)),
        ("port", port_problem(server.port)),
    ):
        if problem:
            raise RefusedError(problem, field=field)
    if server.security == Security.NONE and not is_near_host(server.host, server.port):
        raise RefusedError(
            _(
                "%(host)s is not on this machine or a private network, so passwords and mail "
                "would cross the internet in the clear. Choose TLS or STARTTLS."
            )
            % {"host": server.host},
            field="security",
        )


def _facts(server: Server) -> dict[str, Any]:
    return {
        "name": server.name,
        "host": server.host,
        "port": server.port,
        "security": server.security,
    }
