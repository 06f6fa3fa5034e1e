"""What migrations add to the frame: the count of running jobs, and what the palette finds."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from migrations_app import selectors
from purelymanage.core.roles import Role
from purelymanage.ui import navigation


def running_words(_number: int) -> Promise:
    """What is counted beside the sidebar's link."""
    return _("running")


def found_jobs(text: str) -> Iterator[navigation.Found]:
    """Jobs for the palette."""
    for job in selectors.find_jobs(text):
        yield job.name, reverse("migrations:detail", args=[job.pk]), job.get_state_display()


def found_servers(text: str) -> Iterator[navigation.Found]:
    """Servers for the palette; their list is where they are tested and edited."""
    for server in selectors.find_servers(text):
        yield server.name, reverse("migrations:servers"), _("Server")


def register() -> None:
    """Tell the frame."""
    navigation.register_count(
        "migrations", selectors.running_jobs, tone="info", words=running_words
    )
    navigation.register_search("job", "arrow-right-left", found_jobs, group=_("Jobs"))
    navigation.register_search("server", "server", found_servers, group=_("Servers"))
    navigation.register_page(_("Servers"), "server", "/migrations/servers/")
    navigation.register_page(
        _("New migration"), "plus", "/migrations/new/", role=Role.ADMIN, action=True
    )
    navigation.register_page(
        _("Import migrations from CSV"),
        "upload",
        "/migrations/batches/new/",
        role=Role.ADMIN,
        action=True,
    )
