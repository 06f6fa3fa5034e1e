"""No page offers what its reader may not do, and viewers see nothing that is personal or secret.

Every address is opened, as a page and as htmx's part of it, in a world where each has something
to show; what its links, buttons and forms lead to must be open to the same person.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

import pytest
from django.urls import Resolver404, resolve

from audit.models import Entry
from mailboxes.batches.models import MailboxBatch
from mailboxes.services import read_settings, remove_recovery_method, save_recovery_method
from purelymanage.core.context import acting_as, person
from purelymanage.core.roles import RANK, Role
from purelymanage.tests.audited import walk
from purelymanage.tests.audited.places import path_of
from purelymanage.tests.audited.world import SECRET, World

pytestmark = [pytest.mark.django_db, pytest.mark.once]

LINK = re.compile(r"""\b(?:href|action|formaction|hx-(?:get|post|put|delete))="([^"]*)\"""")
WHERE = ("lea@home.example", "lea.new@home.example", "@home.example")
PRIVATE = "where Lea is reached"
SHOWN_MASKED = re.compile(r"l…@home\.example")


@pytest.fixture
def told_world(world: World) -> World:
    """Recovery methods stand in the log, in dossiers and at PurelyMail; batches hold passwords."""
    old = read_settings(mailbox=world.mailbox).recovery_methods[0]
    new = replace(old, target="lea.new@home.example", description=PRIVATE)
    with acting_as(person(world.people["admin"])):
        save_recovery_method(mailbox=world.mailbox, method=new)
        remove_recovery_method(mailbox=world.mailbox, target=new.target)
    world.executed  # noqa: B018  each is made when first asked for
    world.done_batch  # noqa: B018
    world.job  # noqa: B018
    return world


def pages(role: str, world: World) -> Iterator[tuple[str, str]]:
    """`(path, text)` of all that answers with 200 to that role, whole and in part."""
    paths = [
        path_of(name, item, world)
        for name, _route, item in walk.addresses()
        if "GET" in walk.methods(item.callback) and not name.startswith("admin")
    ]
    paths += [f"/settings/audit/{pk}/" for pk in Entry.objects.values_list("pk", flat=True)]
    paths += [f"/deletions/{world.executed.pk}/"]
    paths += [
        f"/mailboxes/batches/{pk}/" for pk in MailboxBatch.objects.values_list("pk", flat=True)
    ]
    client = world.client(role)
    for path in paths:
        for headers in ({}, {"HX-Request": "true"}):
            response = client.get(path, headers=headers)
            if response.status_code == 200:
                yield path, response.getvalue().decode(errors="replace")


def needed(path: str) -> Role | None:
    """The role that the address takes; None where it is open, or none of ours."""
    try:
        found = resolve(path)
    except Resolver404:
        return None
    if found.view_name.startswith("admin:"):
        return Role.OWNER
    return getattr(found.func, "required_role", None)


def beyond(role: Role, path: str, text: str) -> set[str]:
    """What the page leads to and the role does not reach."""
    found = set()
    for link in LINK.findall(text):
        target = urlsplit(urljoin(path, html.unescape(link)))
        takes = None if target.netloc else needed(target.path)
        if takes is not None and RANK[takes] > RANK[role]:
            found.add(f"{path} offers {target.path}, which takes {takes.label}")
    return found


def test_viewers_are_offered_nothing_they_may_not_do_and_shown_nothing_personal(told_world):
    wrong: set[str] = set()
    for path, text in pages("viewer", told_world):
        shown = SHOWN_MASKED.sub("", text)
        wrong |= beyond(Role.VIEWER, path, text)
        wrong |= {f"{path}: {word}" for word in (*WHERE, PRIVATE) if word in shown}
        if SECRET in shown and SECRET not in path:  # whoever has an invitation's link knows it
            wrong.add(f"{path}: a secret")
    assert not wrong, "\n".join(sorted(wrong))


def test_admins_are_offered_nothing_they_may_not_do_and_see_what_viewers_do_not(told_world):
    wrong: set[str] = set()
    unseen = {*WHERE, PRIVATE}
    for path, text in pages("admin", told_world):
        wrong |= beyond(Role.ADMIN, path, text)
        unseen -= {word for word in unseen if word in text}
    assert not wrong, "\n".join(sorted(wrong))
    assert not unseen
