"""The question before a deletion, and the way back."""

from __future__ import annotations

import pytest

from purelymanage.deletions.models import DeletionKind, PendingDeletion
from purelymanage.deletions.services import schedule_deletion
from purelymanage.deletions.tests.conftest import ADDRESS

pytestmark = [pytest.mark.django_db, pytest.mark.urls("purelymanage.deletions.tests.urls")]
DELETE = f"/delete/{ADDRESS}/"
TYPED = f"{DELETE}?typed=1"


@pytest.fixture(autouse=True)
def _without_queue(monkeypatch):
    monkeypatch.setattr("purelymanage.jobs.queue.async_task", lambda *_args, **_rest: None)


def page(response):
    return response.content.decode()


def test_the_question_names_the_object_and_what_hangs_on_it(admin_client, mailboxes):
    html = page(admin_client.get(DELETE))
    assert f"Delete the mailbox {ADDRESS}?" in html
    assert "61 rules deliver here" in html
    assert "rule-9@" in html
    assert "rule-10@" not in html
    assert "and 51 more" in html
    assert "No rule" not in html
    assert "It is the only one." in html
    assert "any admin can cancel until" in html
    assert 'href="/mailboxes/1/">Keep it' in html
    assert not mailboxes.calls


def test_confirming_schedules_it_and_says_until_when(admin_client, mailboxes):
    response = admin_client.post(DELETE, follow=True)
    assert response.redirect_chain == [("/mailboxes/", 302)]
    deletion = PendingDeletion.objects.get()
    assert f"{ADDRESS} will be deleted on" in page(response)
    assert deletion.requested_by_name == "Adam"


def test_for_htmx_it_is_a_dialog(admin_client, mailboxes):
    html = page(admin_client.get(DELETE, headers={"HX-Request": "true"}))
    assert html.strip().startswith("<dialog")
    assert f'action="{DELETE}"' in html
    assert "<html" not in html


@pytest.mark.parametrize("typed", ["bücher.example", "xn--bcher-kva.example", " Bücher.Example. "])
def test_a_domain_has_to_be_typed_in_either_form(admin_client, mailboxes, typed):
    assert "Type bücher.example to confirm" in page(admin_client.get(TYPED))
    assert admin_client.post(TYPED, {"typed": typed}).status_code == 302
    assert PendingDeletion.objects.exists()


@pytest.mark.parametrize("typed", ["", "bucher.example", "x", ADDRESS])
def test_another_name_deletes_nothing(admin_client, mailboxes, typed):
    response = admin_client.post(TYPED, {"typed": typed})
    assert response.status_code == 422
    assert not PendingDeletion.objects.exists()


def test_one_that_is_pending_shows_who_and_until_when_instead(admin_client, mailboxes):
    admin_client.post(DELETE)
    deletion = PendingDeletion.objects.get()
    html = page(admin_client.get(DELETE))
    assert "Delete in 24 hours" not in html
    assert f'action="/deletions/{deletion.pk}/cancel/"' in html
    assert "Adam asked for it." in html
    again = admin_client.post(DELETE)
    assert again.status_code == 422
    assert PendingDeletion.objects.count() == 1


def test_what_is_gone_is_told(admin_client, mailboxes):
    response = admin_client.get("/delete/gone@lindenhof.example/")
    assert response.status_code == 404
    assert "not known here any more" in page(response)


def test_cancelling_leads_back_and_says_what_is_kept(owner_client, admin_client, mailboxes):
    deletion = schedule_deletion(kind=DeletionKind.MAILBOX, key=ADDRESS)
    url = f"/deletions/{deletion.pk}/cancel/"
    response = owner_client.post(url, {"next": "/mailboxes/?q=mara"}, follow=True)
    assert response.redirect_chain == [("/mailboxes/?q=mara", 302)]
    assert f"{ADDRESS} is kept." in page(response)
    late = admin_client.post(url)
    assert late.status_code == 409
    assert "Olga has kept" in page(late)


def test_viewers_neither_delete_nor_cancel(viewer_client, mailboxes):
    deletion = schedule_deletion(kind=DeletionKind.MAILBOX, key=ADDRESS)
    assert viewer_client.get(DELETE).status_code == 403
    assert viewer_client.post(DELETE).status_code == 403
    assert viewer_client.post(f"/deletions/{deletion.pk}/cancel/").status_code == 403
    assert PendingDeletion.objects.pending().exists()
