"""The list of deletions, what became of them, and how they are cancelled."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from audit.actions import Action
from audit.models import Entry, Outcome
from domains.tests.factories import DomainFactory
from mailboxes.models import Mailbox
from mailboxes.tests.factories import MailboxFactory
from purelymanage.deletions.models import DeletionKind, DeletionState, PendingDeletion
from purelymanage.deletions.tests.pages import (
    DAY,
    HISTORY,
    HTMX,
    LIST,
    detail,
    ended,
    page,
    pending,
)
from purelymanage.deletions.tests.world import DOMAIN, MARA, schedule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_queue")]


# The list


def test_what_is_overdue_is_not_promised_for_a_time_that_has_passed(admin_client):
    mailbox = MailboxFactory()
    deletion = pending(mailbox.address)
    detail_url = f"/mailboxes/{mailbox.pk}/"
    assert "until then nothing is touched" in page(admin_client.get(detail_url))
    PendingDeletion.objects.filter(pk=deletion.pk).update(due_at=timezone.now() - DAY)
    html = page(admin_client.get(detail_url))
    assert "It has been due since" in html
    assert "until then nothing is touched" not in html


def test_the_list_says_what_who_when_due_and_how_long(admin_client, world):
    for kind in DeletionKind:
        schedule(world, kind, due_in=DAY)
    html = page(admin_client.get(LIST))
    mara = Mailbox.objects.get(address=MARA)
    assert f'href="/mailboxes/{mara.pk}/"' in html
    for words in ("Mailbox", "Domain", "Routing rule", "Adam", "23 h 59"):
        assert words in html
    assert 'title="3 pending deletions"' in html
    assert not world.purelymail.calls


def test_what_is_gone_from_the_copy_leads_to_its_dossier(viewer_client):
    deletion = pending("gone@lindenhof.example")
    html = page(viewer_client.get(LIST))
    assert f'<td role="cell" class="title"><a href="{detail(deletion)}">' in html
    assert 'href=""' not in html


@pytest.mark.parametrize("tab", [LIST, HISTORY])
def test_without_a_deletion_it_says_what_to_do(viewer_client, tab):
    html = page(viewer_client.get(tab))
    assert "Nothing is waiting to be deleted" in html or "No deletion has ended yet" in html
    unmatched = page(viewer_client.get(f"{tab}{'&' if '?' in tab else '?'}q=nobody"))
    assert "No deletion matches “nobody”" in unmatched
    assert "Clear the filters" in unmatched


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("q=BÜCHER", {"lea@bücher.example"}),
        ("q=xn--bcher-kva", {"lea@bücher.example"}),
        ("q=lea@xn--bcher-kva.example", {"lea@bücher.example"}),
        ("kind=domain", {"shop.example"}),
        ("who=Olga", {"sales@shop.example"}),
        (
            "kind=nonsense&state=failed",
            {"lea@bücher.example", "shop.example", "sales@shop.example"},
        ),
        ("q=%00&page=-1", {"lea@bücher.example", "shop.example", "sales@shop.example"}),
        ("q=123", set()),
    ],
)
def test_filters_narrow_it_and_nonsense_does_not(viewer_client, query, shown):
    pending("lea@bücher.example", key="lea@xn--bcher-kva.example")
    pending("shop.example", kind=DeletionKind.DOMAIN)
    pending("sales@shop.example", kind=DeletionKind.RULE, key="1234", who="Olga")
    lines = viewer_client.get(f"{LIST}?{query}").context["listed"].lines
    assert {line.deletion.label for line in lines} == shown


def test_history_tells_how_each_ended_the_latest_first(viewer_client):
    ended("first@a.example", DeletionState.EXECUTED, ago=timedelta(days=9))
    ended("kept@a.example", DeletionState.CANCELLED, ended_by_name="Olga")
    ended(
        "stuck@a.example", DeletionState.FAILED, note="PurelyMail said no.", ago=timedelta(days=2)
    )
    pending("waits@a.example")
    response = viewer_client.get(HISTORY)
    labels = [line.deletion.label for line in response.context["listed"].lines]
    assert labels == ["kept@a.example", "stuck@a.example", "first@a.example"]
    html = page(response)
    assert "by Olga" in html
    assert "PurelyMail said no." in html
    assert html.count(">by ") == 1
    failed = viewer_client.get(f"{HISTORY}&state=failed").context["listed"]
    assert [line.deletion.label for line in failed.lines] == ["stuck@a.example"]


def test_a_try_that_is_under_way_or_failing_says_so(admin_client):
    now = timezone.now()
    pending("at-work@a.example", due_in=-timedelta(minutes=1), lease_until=now + DAY)
    pending(
        "stuck@a.example",
        due_in=-timedelta(hours=1),
        tries=2,
        problem="PurelyMail did not answer.",
        try_after=now + timedelta(minutes=4),
    )
    pending("due@a.example", due_in=-timedelta(seconds=5))
    html = page(admin_client.get(LIST))
    assert "Being deleted now" in html
    assert "Due now" in html
    assert "Did not work yet" in html
    assert "PurelyMail did not answer. Next try:" in html


@pytest.mark.parametrize("rows", [2, 70])
@pytest.mark.parametrize("tab", [LIST, HISTORY])
def test_the_list_costs_the_same_with_any_number_of_rows(
    admin_client, django_assert_max_num_queries, tab, rows
):
    domain = DomainFactory(name=DOMAIN)
    for number in range(rows):
        MailboxFactory(address=f"m{number}@{DOMAIN}", domain=domain)
        pending(f"m{number}@{DOMAIN}")
        pending(f"d{number}.example", kind=DeletionKind.DOMAIN)
        ended(f"x{number}@{DOMAIN}", DeletionState.EXECUTED)
    admin_client.get(tab)
    with django_assert_max_num_queries(11):
        admin_client.get(tab)


def test_it_is_paged_by_the_server(viewer_client):
    for number in range(51):
        pending(f"m{number:02}@a.example")
    assert "of 51" in page(viewer_client.get(f"{LIST}?page=2"))


# Rows that ask again by themselves


def poll(client, listed, url=LIST):
    return client.get(url, headers=HTMX | {"Known-Rows": listed.token})


def test_while_nothing_happens_only_the_time_moves_on(admin_client):
    deletion = pending("lea@a.example")
    listed = admin_client.get(LIST).context["listed"]
    with time_machine.travel(timezone.now() + timedelta(minutes=25)):
        response = poll(admin_client, listed)
    assert response["HX-Reswap"] == "none"
    html = page(response)
    assert f'<div id="left-{deletion.pk}" hx-swap-oob="innerHTML">' in html
    assert "23 h 34" in html
    assert "<table" not in html


@pytest.mark.parametrize(
    "happened",
    [
        {"state": DeletionState.EXECUTED},
        {"lease_until": timezone.now() + 365 * DAY},
        {"tries": 1, "problem": "PurelyMail did not answer."},
    ],
    ids=["ended", "begun", "failed once"],
)
def test_once_something_happened_the_rows_come_anew(admin_client, happened):
    deletion = pending("lea@a.example")
    listed = admin_client.get(LIST).context["listed"]
    PendingDeletion.objects.filter(pk=deletion.pk).update(**happened)
    if "state" in happened:
        pending("next@a.example")  # as many as before, but another
    response = poll(admin_client, listed)
    assert "HX-Reswap" not in response
    assert "HX-Push-Url" not in response
    html = page(response)
    assert "<table" in html
    assert ("lea@" in html) is ("state" not in happened)


# Cancelling


def test_one_is_cancelled_on_the_list(admin_client, admin):
    deletion = pending("lea@a.example")
    response = admin_client.post(f"{detail(deletion)}cancel/", follow=True)
    assert response.redirect_chain == [(LIST, 302)]
    assert "lea@a.example is kept." in page(response)
    deletion.refresh_from_db()
    assert (deletion.state, deletion.ended_by_name) == ("cancelled", admin.name)


def test_what_is_ticked_is_cancelled_each_on_record(admin_client):
    first, second, third = (pending(f"{name}@a.example") for name in "abc")
    chosen = {"selected": [first.pk, second.pk, "x", "²", "9" * 30]}
    html = page(admin_client.post(f"{LIST}cancel/", chosen, follow=True))
    assert "2 deletions are cancelled." in html
    assert list(PendingDeletion.objects.pending()) == [third]
    entries = Entry.objects.filter(action=Action.DELETION_CANCELLED)
    assert {entry.target for entry in entries} == {"a@a.example", "b@a.example"}
    assert Outcome.objects.filter(entry__in=entries, result=Outcome.Result.OK).count() == 2


def test_all_that_the_filter_matches_is_cancelled_and_nothing_else(admin_client):
    for number in range(60):
        pending(f"m{number}@a.example")
    stays = pending("m@b.example")
    over = ended("m61@a.example", DeletionState.EXECUTED)
    html = page(admin_client.post(f"{LIST}cancel/?q=a.example", {"everything": "1"}, follow=True))
    assert "60 deletions are cancelled." in html
    assert list(PendingDeletion.objects.pending()) == [stays]
    over.refresh_from_db()
    assert over.state == DeletionState.EXECUTED


def test_of_many_those_that_may_be_gone_are_named(admin_client):
    told, waits = pending("told@a.example"), pending("waits@a.example")
    PendingDeletion.objects.filter(pk=told.pk).update(called_at=timezone.now())
    html = page(admin_client.post(f"{LIST}cancel/", {"everything": "1"}, follow=True))
    assert "2 deletions are cancelled." in html
    assert "The deletion of told@a.example is cancelled, but PurelyMail was told" in html
    assert f"The deletion of {waits.label}" not in html


def test_of_many_those_that_cannot_be_cancelled_are_told(admin_client):
    waits = pending("waits@a.example")
    done = ended("done@a.example", DeletionState.EXECUTED)
    html = page(admin_client.post(f"{LIST}cancel/", {"selected": [waits.pk, done.pk]}, follow=True))
    assert "1 deletion is cancelled." in html
    assert "done@a.example is deleted already" in html


def test_nothing_ticked_is_said(admin_client):
    response = admin_client.post(f"{LIST}cancel/", {})
    assert response.status_code == 422
    assert "Tick the deletions" in page(response)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"state": "executed"}, "is deleted already"),
        ({"state": "cancelled", "ended_by_name": "Olga"}, "Olga has kept"),
        ({"state": "failed"}, "not pending any more"),
        ({"lease_until": timezone.now() + 365 * DAY}, "is being deleted just now"),
    ],
)
def test_a_stale_form_is_answered_with_the_dossier_as_it_stands(admin_client, facts, words):
    over = {} if "lease_until" in facts else {"ended_at": timezone.now()}
    deletion = pending("lea@a.example", **over, **facts)
    response = admin_client.post(f"{detail(deletion)}cancel/")
    assert response.status_code == 409
    html = page(response)
    assert words in html
    assert f'href="{LIST}"' in html
    deletion.refresh_from_db()
    assert deletion.state == facts.get("state", "pending")


def test_one_that_purelymail_was_told_of_is_cancelled_with_a_warning(admin_client):
    deletion = pending("lea@a.example", called_at=timezone.now(), tries=1)
    html = page(admin_client.post(f"{detail(deletion)}cancel/", follow=True))
    assert "it may be gone" in html
    assert "is kept" not in html


# Who may what


def test_viewers_read_and_change_nothing(viewer_client):
    waits, over = pending("a@a.example"), ended("b@a.example", DeletionState.EXECUTED)
    for url in (LIST, HISTORY, detail(waits), detail(over)):
        html = page(viewer_client.get(url))
        assert "/cancel/" not in html
        assert "/recreate/" not in html
        assert "data-pick" not in html
    assert viewer_client.post(f"{detail(waits)}cancel/").status_code == 403
    assert viewer_client.post(f"{LIST}cancel/", {"everything": "1"}).status_code == 403
    assert viewer_client.get(f"{detail(over)}recreate/").status_code == 403
    assert PendingDeletion.objects.pending().count() == 1


@pytest.mark.parametrize("path", ["", "cancel/", "recreate/"])
def test_forged_numbers_are_not_found(admin_client, path):
    url = f"/deletions/4711/{path}"
    answer = admin_client.post(url) if path == "cancel/" else admin_client.get(url)
    assert answer.status_code == 404


def test_only_owners_are_offered_to_freeze(owner_client, admin_client, admin, owner):
    pending("a@a.example", requested_by=admin)
    pending("b@a.example", requested_by=owner, who=owner.name)
    link = f"/deletions/freeze/{admin.pk}/"
    html = page(owner_client.get(LIST))
    assert link in html
    assert f"/deletions/freeze/{owner.pk}/" not in html
    assert link not in page(admin_client.get(LIST))


def test_the_palette_finds_what_is_pending(admin_client):
    pending("lea@a.example")
    ended("lea@b.example", DeletionState.CANCELLED)
    html = page(admin_client.get("/palette/?q=lea", headers=HTMX))
    assert "Pending deletions" in html
    assert html.count("/deletions/") == 1
