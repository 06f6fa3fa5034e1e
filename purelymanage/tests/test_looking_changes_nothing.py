"""Looking changes nothing: opening an address writes to no table but those named here."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin import site as admin_site
from django.urls import URLPattern, reverse

from purelymanage.tests.audited import walk
from purelymanage.tests.audited.world import World, tables_written

pytestmark = pytest.mark.django_db
SESSIONS = {"accounts_session"}
NOTES = {
    "domains_syncstate": "that somebody looks at a list, so that it is refreshed more often",
    "migrations_app_limits": "the one row of limits, with its defaults, on first use",
}
"""What opening a page may write, and what that is: nothing that anybody decides."""
TAKEN_ALONG = {"mailboxes:export", "audit:csv", "audit:json"}
"""Addresses that send data out of the panel, and put that on record."""
AUDIT = {"audit_entry", "audit_outcome", "audit_chain"}
ODD = {
    "accounts:setup": 404,
    "dashboard:readyz": 503,
    "admin": 404,
    "admin:autocomplete": 403,
    "admin:logout": 405,
    "admin:view_on_site": 404,
    "admin:*_add": 403,
    "admin:*_delete": 403,
}
"""Answers that are no page: to what is not there, not allowed, or no worker's."""
STOP_POLLING = 286
QUERIES = {"mailboxes:restore": lambda world: {"deletion": world.executed.pk}}


def argument(name: str, key: str, world: World) -> Any:
    """A value that leads somewhere."""
    space = name.rpartition(":")[0]
    special = {
        "migrations:server_edit": world.server,
        "migrations:server_test": world.server,
        "migrations:server_delete": world.server,
        "migrations:cancel": world.queued_job,
        "deletions:frozen": world.freeze,
        "deletions:recreate": world.executed,
        "deletions:freeze": world.people["admin"],
    }
    usual = {
        "accounts": world.people["viewer"],
        "mailboxes": world.mailbox,
        "mailboxes:batches": world.done_batch,
        "domains": world.domain,
        "routing": world.rule,
        "deletions": world.deletion,
        "migrations": world.job,
    }
    if key == "pk":
        row = special.get(name) or usual.get(space)
        return row.pk if row else 1
    words = {"key": "mx", "kind": "mailboxes", "app_label": "domains", "url": "nothing/"}
    return words.get(key, "1")


def path_of(name: str, item: URLPattern, world: World) -> str:
    """An address of that name."""
    if name == "admin":
        return "/admin/nothing/"
    keys = item.pattern.regex.groupindex
    arguments = {key: argument(name, key, world) for key in keys}
    if "object_id" in arguments:
        for model in admin_site._registry:
            if name.startswith(f"admin:{model._meta.label_lower.replace('.', '_')}_"):
                pk = model.objects.values_list("pk", flat=True).first()
                arguments["object_id"] = str(pk or 1)
    return reverse(name, kwargs=arguments)


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["plain", "htmx"])
def test_opening_an_address_writes_nothing(world, headers):
    client = world.client("owner")
    wrong = []
    for name, _route, item in walk.addresses():
        if "GET" not in walk.methods(item.callback):
            continue
        path = path_of(name, item, world)
        query = QUERIES[name](world) if name in QUERIES else {}
        calls = dict(world.purelymail.calls)
        with tables_written() as tables:
            response = client.get(path, query, headers=headers)
            if response.streaming:
                response.getvalue()
        more = tables - SESSIONS - NOTES.keys() - (AUDIT if name in TAKEN_ALONG else set())
        if more:
            wrong.append(f"{path} writes to {', '.join(sorted(more))}")
        if dict(world.purelymail.calls) != calls:
            wrong.append(f"{path} calls PurelyMail")
        if response.status_code not in {ODD.get(walk.kind_of(name), 200), 302, STOP_POLLING}:
            wrong.append(f"{path} answers {response.status_code}")
    assert not wrong, "\n".join(wrong)
