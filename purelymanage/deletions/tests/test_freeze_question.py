"""The question before a freeze, who may answer it, and where owners find it."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from purelymanage.deletions.models import Freeze
from purelymanage.deletions.tests.frost import freeze, hold, page, schedule, states, url

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_queue")]


def test_the_question_shows_what_would_be_cancelled(
    rules, admin, owner_client, admin_client, django_assert_max_num_queries
):
    rows = schedule(admin, *range(1, 14))
    hold(rows[12])
    owner_client.get(url(admin))
    with django_assert_max_num_queries(22):
        html = page(owner_client.get(url(admin)))
    assert "Freeze Adam?" in html
    assert "12 deletions are cancelled" in html
    assert "rule 10<" in html
    assert "rule 11<" not in html
    assert "and 2 more" in html
    assert "1 session ends at once" in html
    assert "too late" in html
    assert "rule 13" in html
    assert rows[0].due_at.isoformat() in html
    assert "They can sign in again afterwards." in html
    assert f'href="/settings/people/{admin.pk}/"' in html
    assert states()["1"] == "pending"


def test_the_bulk_work_that_stops_is_named(bulk, admin, owner_client):
    html = page(owner_client.get(url(admin)))
    assert "Bulk deletion with 6 mailboxes not yet scheduled" in html


def test_freezing_leads_to_its_result_with_the_way_back(rules, admin, owner_client):
    hold(schedule(admin, 1, 2)[1])
    response = owner_client.post(url(admin), {"after": "0"}, follow=True)
    done = Freeze.objects.get()
    assert response.redirect_chain == [(f"/deletions/freezes/{done.pk}/", 302)]
    html = page(response)
    assert "1 deletion was cancelled." in html
    assert "Too late:" in html
    assert "rule 2" in html
    assert f'action="/deletions/freeze/{done.pk}/undo/"' in html
    assert "Adam can sign in again." in html


def test_a_replayed_form_is_answered_with_a_sentence_and_changes_nothing(
    rules, admin, owner_client
):
    schedule(admin, 1)
    form = {"after": "0"}
    assert owner_client.post(url(admin), form).status_code == 302
    schedule(admin, 2)
    again = owner_client.post(url(admin), form)
    assert again.status_code == 409
    assert "Olga has frozen Adam already" in page(again)
    assert states() == {"1": "cancelled", "2": "pending"}
    assert Freeze.objects.count() == 1
    fresh = {"after": str(Freeze.objects.get().pk)}
    assert fresh["after"] in page(owner_client.get(url(admin)))
    assert owner_client.post(url(admin), fresh).status_code == 302
    assert states() == {"1": "cancelled", "2": "cancelled"}


@pytest.mark.parametrize("after", ["x", "²", "9" * 5000, "-1"])
def test_rubbish_in_the_form_freezes_nobody_twice(rules, admin, owner_client, after):
    schedule(admin, 1)
    owner_client.post(url(admin))
    schedule(admin, 2)
    assert owner_client.post(url(admin), {"after": after}).status_code == 409
    assert states()["2"] == "pending"


def test_where_there_is_nothing_to_freeze_it_says_so(rules, admin, owner_client):
    assert "There is nothing to freeze" in page(owner_client.get(url(admin)))
    response = owner_client.post(url(admin), {"after": "0"})
    assert response.status_code == 409
    assert "is not signed in" in page(response)
    assert not Freeze.objects.exists()


def test_only_owners_freeze_and_undo(rules, admin, owner, admin_client, viewer_client):
    schedule(owner, 1)
    schedule(admin, 2)
    done = freeze(owner, admin)
    admin_client.force_login(admin)
    for client in (admin_client, viewer_client):
        for method in (client.get, client.post):
            response = method(url(owner))
            assert response.status_code == 403
            assert "This is for owners" in page(response)
        assert client.post(f"/deletions/freeze/{done.pk}/undo/").status_code == 403
        html = page(client.get(f"/deletions/freezes/{done.pk}/"))
        assert "undo/" not in html
        assert "undo/" not in page(client.get("/deletions/freezes/"))
    assert states() == {"1": "pending", "2": "cancelled"}


def test_forged_numbers_are_not_found(rules, owner_client):
    for path in ("/deletions/freeze/999/", "/deletions/freezes/999/"):
        assert owner_client.get(path).status_code == 404
    assert owner_client.post("/deletions/freeze/999/").status_code == 404
    assert owner_client.post("/deletions/freeze/999/undo/").status_code == 404
    assert owner_client.post(f"/deletions/freeze/{'9' * 30}/").status_code == 404


def test_a_form_of_another_site_is_refused(rules, admin, owner):
    schedule(admin, 1)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    assert strict.post(url(admin), {"after": "0"}).status_code == 403
    assert states() == {"1": "pending"}
    done = freeze(owner, admin)
    assert strict.post(f"/deletions/freeze/{done.pk}/undo/").status_code == 403
    assert states() == {"1": "cancelled"}


def test_asking_by_get_never_undoes(rules, admin, owner, owner_client):
    schedule(admin, 1)
    done = freeze(owner, admin)
    assert owner_client.get(f"/deletions/freeze/{done.pk}/undo/").status_code == 405


def test_freezing_oneself_is_refused_with_a_sentence(rules, owner, owner_client):
    for response in (owner_client.get(url(owner)), owner_client.post(url(owner))):
        assert response.status_code == 409
        assert "You cannot freeze yourself." in page(response)


def test_owners_find_it_on_the_page_of_a_person(admin, owner, owner_client):
    assert f'href="{url(admin)}"' in page(owner_client.get(f"/settings/people/{admin.pk}/"))
    assert url(owner) not in page(owner_client.get(f"/settings/people/{owner.pk}/"))


def test_owners_find_the_freezes_above_the_list_of_deletions(owner_client, viewer_client):
    for tab in ("/deletions/", "/deletions/?tab=history"):
        assert 'href="/deletions/freezes/"' in page(owner_client.get(tab))
        assert 'href="/deletions/freezes/"' not in page(viewer_client.get(tab))


def test_the_history_says_that_a_freeze_cancelled_it(rules, admin, owner, owner_client):
    schedule(admin, 1)
    freeze(owner, admin)
    assert "had queued: a freeze." in page(owner_client.get("/deletions/?tab=history"))


def test_somebody_who_was_removed_can_still_be_frozen(rules, admin, owner, owner_client):
    schedule(admin, 1)
    User.objects.filter(pk=admin.pk).update(is_active=False)
    assert "remove them from the panel" not in page(owner_client.get(url(admin)))
    freeze(owner, admin)
    assert states() == {"1": "cancelled"}
