"""A deleted mailbox is made again with the settings it had, as far as PurelyMail lets it."""

from __future__ import annotations

import pytest
from django.utils import timezone

from audit.actions import Action
from audit.models import Entry
from mailboxes.models import Mailbox
from mailboxes.services import restore_settings
from mailboxes.tests.pages import ADD, DOMAIN, LEA, PASSWORD, page
from purelymanage.deletions.models import DeletionKind, DeletionState, PendingDeletion

pytestmark = pytest.mark.django_db

METHOD = {
    "type": "email",
    "target": "private@home.example",
    "description": "her own",
    "allow_mfa_reset": True,
}


def dossier(**changes):
    settings = {
        "address": LEA,
        "enable_search_indexing": False,
        "enable_password_reset": True,
        "require_two_factor": True,
        "enable_spam_filtering": True,
        "recovery_methods": [METHOD],
    }
    return {"settings": settings | changes}


def deleted(facts=None, *, key=LEA, state=DeletionState.EXECUTED, **more):
    return PendingDeletion.objects.create(
        kind=DeletionKind.MAILBOX,
        key=key,
        label=key,
        dossier=dossier() if facts is None else facts,
        requested_by_name="Adam",
        due_at=timezone.now(),
        state=state,
        ended_at=timezone.now(),
        **more,
    )


def recreate(deletion):
    return f"/deletions/{deletion.pk}/recreate/"


@pytest.fixture
def again(purelymail, domain, mailbox):
    """The mailbox is there again, with what PurelyMail gives a new one."""
    purelymail.state.users[LEA].recovery_enabled = False
    return mailbox


def user_at(purelymail):
    return purelymail.state.users[LEA]


def test_the_form_is_filled_in_and_nothing_is_made_yet(admin_client, purelymail, domain):
    deletion = deleted()
    response = admin_client.get(recreate(deletion), follow=True)
    assert response.redirect_chain == [(f"{ADD}?deletion={deletion.pk}", 302)]
    form = response.context["form"]
    assert (form["local_part"].value(), form["domain"].value()) == ("lea", DOMAIN)
    assert form["enable_password_reset"].value() is True
    assert f"{LEA} is made again." in page(response)
    assert not purelymail.calls


def test_it_comes_back_with_its_settings_and_says_what_is_lost(admin_client, purelymail, domain):
    url = f"{ADD}?deletion={deleted().pk}"
    form = {"local_part": "lea", "domain": DOMAIN, "password": PASSWORD}
    html = page(admin_client.post(url, form | {"enable_password_reset": "on"}))
    user = user_at(purelymail)
    assert user.require_two_factor
    assert user.recovery_enabled
    assert not user.enable_search_indexing
    assert [method.target for method in user.methods] == ["private@home.example"]
    for words in ("Second factor required", "Not indexed for search", "private@home.example"):
        assert words in html
    assert "Its mail and its app passwords" in html
    assert "circle-x" not in html
    assert "Apply the dossier once more" not in html
    actions = set(Entry.objects.values_list("action", flat=True))
    assert {Action.MAILBOX_CREATED, Action.RECOVERY_SAVED, Action.MAILBOX_CHANGED} <= actions


def test_sent_twice_it_is_made_once(admin_client, purelymail, domain):
    url = f"{ADD}?deletion={deleted().pk}"
    form = {"local_part": "lea", "domain": DOMAIN, "password": PASSWORD}
    assert admin_client.post(url, form).status_code == 200
    assert admin_client.post(url, form).status_code == 422
    assert purelymail.calls["createUser"] == 1
    assert len(user_at(purelymail).methods) == 1


def test_another_address_takes_nothing_from_the_dossier(admin_client, purelymail, domain):
    form = {"local_part": "mia", "domain": DOMAIN, "password": PASSWORD}
    html = page(admin_client.post(f"{ADD}?deletion={deleted().pk}", form))
    assert "so nothing was taken from its dossier" in html
    assert not purelymail.state.users[f"mia@{DOMAIN}"].methods


def test_without_its_domain_the_domain_comes_first(admin_client, purelymail):
    html = page(admin_client.get(f"{ADD}?deletion={deleted().pk}"))
    assert f"{DOMAIN} is none of your domains" in html
    assert f'href="/domains/new/?name={DOMAIN}"' in html
    assert 'name="password"' not in html


def test_where_it_is_there_again_its_settings_can_be_applied(admin_client, purelymail, again):
    deletion = deleted(dossier(enable_password_reset=False))
    response = admin_client.get(recreate(deletion), follow=True)
    [(url, _status)] = response.redirect_chain
    assert url == f"/mailboxes/{again.pk}/restore/?deletion={deletion.pk}"
    assert "private@home.example" in page(response)
    assert not purelymail.calls
    for _time in range(2):
        html = page(admin_client.post(url))
        assert "Set, and read back from PurelyMail" in html
        assert "Its mail" not in html
    user = user_at(purelymail)
    assert user.require_two_factor
    assert len(user.methods) == 1


def test_what_purelymail_does_not_take_is_told(purelymail, again):
    result = restore_settings(mailbox=again, facts=dossier(enable_spam_filtering=False))
    assert result.missed == [("Spam filter", "PurelyMail lets only its own web page change this.")]
    assert "Second factor required" in result.done


def test_no_second_factor_without_the_recovery_method_there_was(purelymail, again):
    purelymail.fault("upsertPasswordReset", "invalid_token")
    result = restore_settings(mailbox=again, facts=dossier(enable_password_reset=False))
    assert {what for what, _why in result.missed} == {
        "Recovery method private@home.example",
        "Second factor required",
    }
    assert not user_at(purelymail).require_two_factor


def test_a_second_factor_without_any_method_comes_back_as_it_was(purelymail, again):
    facts = dossier(recovery_methods=[], enable_password_reset=False)
    assert restore_settings(mailbox=again, facts=facts).missed == []
    assert user_at(purelymail).require_two_factor


def test_while_purelymail_is_down_it_is_asked_once(purelymail, again):
    purelymail.down()
    result = restore_settings(mailbox=again, facts=dossier())
    assert not result.done
    assert len(result.missed) == 1


def test_after_a_silence_nothing_more_is_tried(purelymail, again):
    purelymail.fault("upsertPasswordReset", "drop_before", times=None)
    result = restore_settings(mailbox=again, facts=dossier())
    assert not result.done
    assert [why for _what, why in result.missed][1:] == [
        "Not tried, since PurelyMail did not answer before."
    ] * 3


def test_a_dossier_without_settings_restores_nothing_and_says_so(purelymail, again):
    result = restore_settings(mailbox=again, facts={})
    assert result.missed == [
        (
            "Settings and recovery methods",
            "PurelyMail had not told them before the deletion.",
        )
    ]
    assert not purelymail.calls


def test_of_a_pending_one_the_deletion_is_to_be_cancelled(admin_client, mailbox):
    response = admin_client.get(recreate(deleted(state=DeletionState.PENDING)))
    assert response.status_code == 409
    assert "is still there: cancel its deletion" in page(response)
    assert "Cancel deletion" in page(response)


def test_of_one_that_was_kept_there_is_nothing_to_make_again(admin_client, mailbox):
    response = admin_client.get(recreate(deleted(state=DeletionState.CANCELLED)))
    assert response.status_code == 409
    assert "nothing to make again" in page(response)


def test_one_cancelled_after_purelymail_was_told_can_be_made_again(admin_client, domain):
    deletion = deleted(state=DeletionState.CANCELLED, called_at=timezone.now())
    assert admin_client.get(recreate(deletion)).status_code == 302


def test_forged_numbers_and_other_mailboxes_are_not_found(admin_client, viewer_client, again):
    other = deleted(key=f"mia@{DOMAIN}")
    url = f"/mailboxes/{again.pk}/restore/"
    for number in ("", "x", "4711", "9" * 40, "²", str(other.pk)):
        assert admin_client.get(f"{url}?deletion={number}").status_code == 404
        assert admin_client.post(f"{url}?deletion={number}").status_code == 404
    for number in ("", "x", "4711"):
        assert admin_client.get(f"{ADD}?deletion={number}").status_code == 404
    mine = deleted()
    assert viewer_client.get(f"{url}?deletion={mine.pk}").status_code == 403
    assert viewer_client.post(f"{url}?deletion={mine.pk}").status_code == 403
    assert Mailbox.objects.count() == 1
