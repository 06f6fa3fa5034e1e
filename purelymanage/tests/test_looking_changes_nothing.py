"""Looking changes nothing: opening an address writes to no table but those named here."""

from __future__ import annotations

import pytest

from purelymanage.tests.audited import walk
from purelymanage.tests.audited.places import path_of
from purelymanage.tests.audited.world import tables_written

pytestmark = pytest.mark.django_db
SESSIONS = {"accounts_session"}
NOTES = {
    "domains_syncstate": "that somebody looks at a list, so that it is refreshed more often",
    "migrations_app_watch": "who has a page before their eyes, so that no mail tells them the same",
    "migrations_app_limits": "the one row of limits, with its defaults, on first use",
}
"""What opening a page may write, and what that is: nothing that anybody decides."""
TAKEN_ALONG = {
    "mailboxes:export",
    "migrations:report_csv",
    "migrations:report_json",
    "migrations:losses_csv",
    "migrations:batch_lines",
    "migrations:batch_passwords_csv",
    "migrations:batch_passwords_text",
    "migrations:batch_report_csv",
    "migrations:batch_losses_csv",
    "migrations:batch_report_json",
    "audit:csv",
    "audit:json",
}
"""Addresses that send data out of the panel, and put that on record."""
AUDIT = {"audit_entry", "audit_outcome", "audit_chain"}
ODD = {
    "accounts:setup": 404,
    "dashboard:readyz": 503,
    "mfa_deactivate_totp": 404,
    "mfa_edit_webauthn": 404,
    "mfa_remove_webauthn": 404,
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


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="plain"),
        pytest.param({"HX-Request": "true"}, id="htmx", marks=pytest.mark.once),
    ],
)
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
