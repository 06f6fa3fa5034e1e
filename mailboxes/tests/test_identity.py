"""A mailbox gets another address, or goes; app passwords; and where secrets must not be."""

from __future__ import annotations

import logging

import pytest

from accounts.models import Session
from accounts.sessions.store import remembered
from audit.actions import Action
from audit.models import Entry, Outcome
from domains.dependants import dependants_of
from domains.tests.factories import DomainFactory
from mailboxes.models import Mailbox
from mailboxes.tests.factories import MailboxFactory
from mailboxes.tests.pages import ADD, DOMAIN, LEA, LIST, PASSWORD, page
from migrations_app.models import State
from migrations_app.tests.factories import JobFactory
from purelymanage.deletions.models import DeletionKind, DeletionState, PendingDeletion
from purelymanage.deletions.registry import deletable
from purelymanage.deletions.services import schedule_deletion
from routing.tests.factories import RoutingRuleFactory

pytestmark = pytest.mark.django_db

NEW = f"lea.new@{DOMAIN}"


@pytest.fixture
def url(mailbox):
    return f"/mailboxes/{mailbox.pk}/"


def rename(client, url, local_part="lea.new", domain=DOMAIN):
    return client.post(f"{url}rename/", {"local_part": local_part, "domain": domain})


# Renaming


def test_a_renamed_mailbox_keeps_its_row_and_its_password(admin_client, purelymail, mailbox, url):
    response = rename(admin_client, url, " Lea.New ")
    assert response.headers["Location"] == url
    mailbox.refresh_from_db()
    assert mailbox.address == NEW
    assert purelymail.state.verify_password(NEW, "the old one")
    entry = Entry.objects.get(action=Action.MAILBOX_RENAMED)
    assert (entry.target, entry.before, entry.after) == (LEA, {"address": LEA}, {"address": NEW})
    assert f"{LEA} is {NEW} now." in page(admin_client.get(url))


def test_a_mailbox_moves_to_another_of_our_domains(admin_client, purelymail, mailbox, url):
    purelymail.state.add_domain("xn--bcher-kva.example")
    DomainFactory(name="xn--bcher-kva.example")
    assert ">bücher.example</option>" in page(admin_client.get(f"{url}rename/"))
    rename(admin_client, url, "lea", "xn--bcher-kva.example")
    mailbox.refresh_from_db()
    assert str(mailbox.domain) == "xn--bcher-kva.example"
    html = page(admin_client.get(url))
    assert "<h1>lea@bücher.example" in html
    assert 'data-copy="lea@xn--bcher-kva.example"' in html


def test_the_form_tells_what_hangs_on_the_old_address(admin_client, purelymail, mailbox, url):
    RoutingRuleFactory(match_user="info", targets=[LEA])
    JobFactory(name="Move of Lea", destination_address=LEA, state=State.QUEUED)
    html = page(admin_client.get(f"{url}rename/"))
    assert "Every mail program" in html
    assert "Rules that deliver to the old address" in html
    assert "It will fail: Move of Lea." in html
    assert not purelymail.calls


def test_an_address_that_cannot_be_had_is_refused_and_nothing_sent(
    admin_client, purelymail, mailbox, url
):
    MailboxFactory(address=f"taken@{DOMAIN}")
    purelymail.state.add_user(f"elsewhere@{DOMAIN}")
    DomainFactory(name="purelymail.com", is_shared=True)
    refusals = {
        ("lea", DOMAIN): "is its address already",
        ("taken", DOMAIN): "exists already",
        ("elsewhere", DOMAIN): "exists at PurelyMail already",
        ("lea", "purelymail.com"): "not one of your domains",
        ("lea", "never.example"): "not one of your domains",
        ("a b", DOMAIN): "Use letters, digits",
        ("", DOMAIN): "This field is required",
    }
    for (local_part, domain), words in refusals.items():
        response = rename(admin_client, url, local_part, domain)
        assert response.status_code == 422
        assert words in page(response)
    assert not purelymail.calls["modifyUser"]
    assert Mailbox.objects.get(pk=mailbox.pk).address == LEA


def test_a_pending_deletion_blocks_the_new_name(admin_client, purelymail, mailbox, url):
    schedule_deletion(kind=DeletionKind.MAILBOX, key=LEA)
    assert "Cancel deletion" in page(admin_client.get(f"{url}rename/"))
    response = rename(admin_client, url)
    assert response.status_code == 422
    assert "Cancel it before you rename" in page(response)
    assert not purelymail.calls


def test_a_row_that_a_refresh_made_of_the_new_address_gives_way(
    admin_client, purelymail, mailbox, url, monkeypatch
):
    modify_user = purelymail.client.modify_user

    def rename_while_a_refresh_runs(**fields):
        modify_user(**fields)
        MailboxFactory(address=NEW)

    monkeypatch.setattr(purelymail.client, "modify_user", rename_while_a_refresh_runs)
    rename(admin_client, url)
    assert Mailbox.objects.get().pk == mailbox.pk


# Deleting


def test_a_deletion_is_asked_for_with_what_hangs_on_it_and_can_be_cancelled(
    admin_client, purelymail, mailbox, url
):
    RoutingRuleFactory(match_user="info", targets=[LEA])
    RoutingRuleFactory(match_user="lea", targets=["x@shop.example"])
    JobFactory(name="Move of Lea", destination_address=LEA, state=State.RUNNING)
    question = page(admin_client.get(f"{url}delete/"))
    for words in (f"info@{DOMAIN}", "Rules that act on its mail", "Move of Lea", "24 hours"):
        assert words in question
    assert admin_client.post(f"{url}delete/").headers["Location"] == LIST
    assert purelymail.calls == {}, "nothing happens there for a day"
    deletion = PendingDeletion.objects.get()
    assert (deletion.kind, deletion.key) == (DeletionKind.MAILBOX, LEA)
    assert deletion.dossier["rules_delivering_to_it"][0]["source"] == f"info@{DOMAIN}"
    assert deletion.dossier["unfinished_migrations"] == ["Move of Lea"]
    html = page(admin_client.get(url))
    assert "Cancel deletion" in html
    assert "Delete…" not in html
    assert "Deletion pending" in page(admin_client.get(LIST))
    assert admin_client.post(f"{url}delete/").status_code == 422
    assert PendingDeletion.objects.count() == 1
    admin_client.post(f"/deletions/{deletion.pk}/cancel/")
    deletion.refresh_from_db()
    assert deletion.state == DeletionState.CANCELLED
    assert "Cancel deletion" not in page(admin_client.get(url))


def test_the_dossier_keeps_what_only_purelymail_knows(purelymail, user, mailbox):
    user.add_method("email", "lea@private.example", "private")
    facts = deletable(DeletionKind.MAILBOX).facts_there(LEA)
    assert facts["settings"]["enable_search_indexing"] is True
    assert facts["settings"]["recovery_methods"][0]["target"] == "lea@private.example"
    assert purelymail.calls == {"getUser": 1}


def test_a_domain_names_its_mailboxes_before_it_goes(mailbox):
    MailboxFactory(address=f"aki@{DOMAIN}")
    MailboxFactory(address="desk@shop.example")
    (group,) = [one for one in dependants_of(mailbox.domain) if "Mailboxes" in one.heading]
    assert list(group.items) == [f"aki@{DOMAIN}", LEA]


# App passwords and other secrets


def test_an_app_password_is_shown_once_and_revoked_by_pasting_it(
    admin_client, purelymail, user, url
):
    response = admin_client.post(f"{url}app-passwords/new/", {"name": "Thunderbird"})
    app_password = response.context["app_password"]
    assert app_password in page(response)
    assert "Shown once" in page(response)
    assert "no-store" in response.headers["Cache-Control"]
    assert purelymail.state.verify_password(LEA, app_password)
    response = admin_client.post(
        f"{url}app-passwords/revoke/", {"app_password": f" {app_password} "}
    )
    assert response.headers["Location"] == url
    assert not purelymail.state.verify_password(LEA, app_password)
    entry = Entry.objects.get(action=Action.APP_PASSWORD_CREATED)
    assert (entry.target, entry.after) == (LEA, {"name": "Thunderbird"})


def test_an_app_password_without_answer_may_exist_and_the_page_says_so(
    admin_client, purelymail, user, url
):
    purelymail.fault("createAppPassword", "drop_after")
    response = admin_client.post(f"{url}app-passwords/new/", {"name": "Thunderbird"})
    assert response.status_code == 422
    assert "An app password that nobody knows may now exist" in page(response)
    assert 'value="Thunderbird"' in page(response)
    assert purelymail.calls["createAppPassword"] == 1


def test_one_that_purelymail_does_not_know_is_refused_and_not_shown_again(
    admin_client, purelymail, url
):
    response = admin_client.post(f"{url}app-passwords/revoke/", {"app_password": "wrongwrong"})
    assert response.status_code == 422
    assert "Unknown app password" in page(response)
    assert "wrongwrong" not in page(response)


def test_no_secret_is_kept_logged_or_shown_a_second_time(
    admin_client, purelymail, user, url, caplog
):
    caplog.set_level(logging.DEBUG)
    typed = {"local_part": "mara", "domain": DOMAIN, "password": f"create-{PASSWORD}"}
    admin_client.post(ADD, typed)
    admin_client.post(f"{url}password/", {"password": f"reset-{PASSWORD}"})
    made = admin_client.post(f"{url}app-passwords/new/", {"name": "Thunderbird"})
    app_password = made.context["app_password"]
    for fault in ("html", "drop_after"):
        purelymail.fault("modifyUser", fault, times=3)
        admin_client.post(f"{url}password/", {"password": f"reset-{PASSWORD}"})
        purelymail.fault("deleteAppPassword", fault)
        admin_client.post(f"{url}app-passwords/revoke/", {"app_password": app_password})
    kept = [
        *Entry.objects.values_list("target", "before", "after"),
        *Outcome.objects.values_list("reason", "after"),
        *(remembered(session) for session in Session.objects.all()),
        *Mailbox.objects.values(),
        caplog.text,
    ]
    pages = [
        page(admin_client.get(path))
        for path in (LIST, url, ADD, f"{url}password/", "/settings/audit/", "/")
    ]
    everything = f"{kept}{pages}"
    assert "Thunderbird" in everything
    for secret in (PASSWORD, app_password):
        assert secret not in everything
