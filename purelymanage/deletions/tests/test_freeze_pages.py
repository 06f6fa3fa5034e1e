"""An owner freezes a person and takes it back, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from purelymanage.core.context import acting_as, person
from purelymanage.deletions.models import DeletionKind, PendingDeletion
from purelymanage.deletions.services import schedule_deletion
from purelymanage.jobs.clock import seconds_from_now
from purelymanage.tests.browser.conftest import look_everywhere, watched
from purelymanage.tests.live import signed_in_page

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def browser_page(live_server, owner_client, monkeypatch):
    """A browser in which an owner is signed in."""
    with signed_in_page(live_server, owner_client, monkeypatch) as page:
        yield watched(page, host=live_server.url)


def test_from_the_dashboard_to_the_freeze_and_back(
    browser_page, rules, admin, admin_client, monkeypatch
):
    monkeypatch.setattr("purelymanage.jobs.queue.async_task", lambda *_args, **_rest: None)
    with acting_as(person(admin)):
        for number in range(13):
            schedule_deletion(kind=DeletionKind.RULE, key=str(number))
    late = PendingDeletion.objects.filter(key="12")
    late.update(label=f"{'a' * 48}@lindenhof.example", lease_until=seconds_from_now(60))
    page = browser_page
    page.goto("/")
    page.get_by_role("link", name="Freeze…").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Freeze Adam?")
    look_everywhere(page, "freeze")
    page.get_by_role("button", name="Freeze Adam").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Freeze of Adam")
    expect(page.get_by_text("12 deletions were cancelled.")).to_be_visible()
    look_everywhere(page, "frozen")
    page.goto("/deletions/freezes/")
    look_everywhere(page, "freezes")
    page.get_by_role("button", name="Undo the freeze of Adam").click()
    expect(page.get_by_text("The freeze of Adam is undone.")).to_be_visible()
    look_everywhere(page, "undone")
    assert PendingDeletion.objects.pending().count() == 13
    page.goto(f"/settings/people/{admin.pk}/")
    look_everywhere(page, "person")
