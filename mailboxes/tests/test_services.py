"""Creating a mailbox and setting a password, with PurelyMail at its best and worst."""

from __future__ import annotations

import pytest

from audit.actions import Action
from audit.models import Entry, Outcome
from domains.copy import refresh
from domains.models import Domain, Kind, SyncState
from mailboxes import services
from mailboxes.models import Mailbox
from mailboxes.tests.factories import MailboxFactory
from mailboxes.tests.pages import DOMAIN, LEA, PASSWORD
from purelymanage.core.errors import RefusedError, UnavailableError
from purelymanage.purelymail.errors import UnknownOutcomeError

pytestmark = pytest.mark.django_db


def create(domain, **changes):
    return services.create_mailbox(
        **{"local_part": "lea", "domain": domain, "password": PASSWORD} | changes
    )


def test_a_mailbox_is_created_at_purelymail_copied_and_on_record(purelymail, domain):
    mailbox = create(domain)
    assert mailbox.address == LEA
    assert purelymail.state.verify_password(LEA, PASSWORD)
    assert not purelymail.state.users[LEA].recovery_enabled
    assert purelymail.calls["getUser"] == 2, "looked for before, read back after"
    entry = Entry.objects.get()
    assert (entry.action, entry.target) == (Action.MAILBOX_CREATED, LEA)
    assert entry.after == {"send_welcome_email": False, "enable_password_reset": False}
    assert entry.outcome.result == Outcome.Result.OK


def test_what_is_ticked_is_sent(purelymail, domain):
    create(domain, enable_password_reset=True)
    assert purelymail.state.users[LEA].recovery_enabled


def test_a_mailbox_of_the_panel_is_no_drift_at_the_next_refresh(purelymail, domain):
    refresh([Kind.DOMAINS, Kind.MAILBOXES])
    create(domain)
    refresh([Kind.MAILBOXES])
    assert not Entry.objects.filter(action__startswith="purelymail.").exists()
    assert Mailbox.objects.count() == 1


def test_a_taken_address_is_refused_without_a_call(purelymail, domain):
    MailboxFactory(address=LEA)
    with pytest.raises(RefusedError, match="exists already") as refusal:
        create(domain)
    assert refusal.value.field == "local_part"
    assert not purelymail.calls


def test_an_address_taken_outside_the_panel_is_refused_before_it_is_sent(purelymail, domain):
    purelymail.state.add_user(LEA, password="the old one")
    purelymail.fault("createUser", "drop_before", times=None)
    with pytest.raises(RefusedError, match="exists at PurelyMail already") as refusal:
        create(domain)
    assert refusal.value.field == "local_part"
    assert not purelymail.calls["createUser"]
    assert purelymail.state.verify_password(LEA, "the old one")
    assert not Mailbox.objects.exists()
    assert Entry.objects.get().outcome.result == Outcome.Result.REFUSED


def test_of_two_admins_at_once_purelymail_refuses_the_second(purelymail, domain, monkeypatch):
    create_user = purelymail.client.create_user

    def create_a_moment_too_late(**fields):
        purelymail.state.add_user(LEA, password="of the other admin")
        create_user(**fields)

    monkeypatch.setattr(purelymail.client, "create_user", create_a_moment_too_late)
    with pytest.raises(RefusedError, match=LEA):
        create(domain)
    assert purelymail.state.verify_password(LEA, "of the other admin")
    assert not Mailbox.objects.exists()


def test_shared_domains_are_refused_without_a_call(purelymail):
    with pytest.raises(RefusedError, match="belongs to PurelyMail"):
        create(Domain.objects.create(name="purelymail.com", is_shared=True))
    assert not purelymail.calls


@pytest.mark.parametrize("kind", ["drop_after", "truncated", "html"])
def test_a_lost_answer_is_read_back_and_nothing_is_created_twice(purelymail, domain, kind):
    purelymail.fault("createUser", kind, after=True)
    create(domain)
    assert purelymail.calls["createUser"] == 1
    assert list(purelymail.state.users) == [LEA]
    assert Mailbox.objects.count() == 1


@pytest.mark.parametrize("kind", ["drop_before", "http_500", "html"])
def test_a_failed_creation_leaves_no_row_and_says_so(purelymail, domain, kind):
    purelymail.fault("createUser", kind, times=None, after=False)
    with pytest.raises(UnavailableError, match="Nothing was changed"):
        create(domain)
    assert not Mailbox.objects.exists()
    assert not purelymail.state.users


def test_an_unknown_outcome_is_called_unknown(purelymail, domain):
    purelymail.fault("createUser", "drop_after")
    purelymail.fault("listUser", "http_500", times=None)
    with pytest.raises(UnknownOutcomeError, match="look for it in the list"):
        create(domain)
    purelymail.up()
    refresh([Kind.MAILBOXES])
    assert Mailbox.objects.get().address == LEA


def test_a_mailbox_purelymail_says_yes_to_and_does_not_know_is_no_success(
    purelymail, domain, monkeypatch
):
    monkeypatch.setattr(purelymail.client, "create_user", lambda **_fields: None)
    with pytest.raises(UnknownOutcomeError, match="does not know"):
        create(domain)
    assert not Mailbox.objects.exists()


def test_no_answer_to_the_read_back_does_not_undo_a_yes(purelymail, domain, monkeypatch):
    create_user = purelymail.client.create_user

    def create_and_fall_silent(**fields):
        create_user(**fields)
        purelymail.fault("getUser", "http_500", times=None)

    monkeypatch.setattr(purelymail.client, "create_user", create_and_fall_silent)
    assert create(domain).address == LEA


def test_without_an_answer_to_the_first_look_nothing_is_sent(purelymail, domain):
    purelymail.fault("getUser", "http_500", times=None)
    with pytest.raises(UnavailableError, match="was not created"):
        create(domain)
    assert not purelymail.calls["createUser"]


def test_a_new_password_opens_the_mailbox_and_is_on_record_without_itself(purelymail, domain):
    purelymail.state.add_user(LEA, password="the old one")
    services.reset_password(mailbox=MailboxFactory(address=LEA), password=PASSWORD)
    assert purelymail.state.verify_password(LEA, PASSWORD)
    assert not purelymail.state.verify_password(LEA, "the old one")
    entry = Entry.objects.get()
    assert entry.action == Action.MAILBOX_PASSWORD_RESET
    assert PASSWORD not in f"{entry.before}{entry.after}{entry.outcome.after}{entry.target}"


def test_a_password_reset_without_answer_says_what_is_not_known(purelymail, domain):
    purelymail.state.add_user(LEA)
    purelymail.fault("modifyUser", "drop_after", times=None)
    with pytest.raises(UnavailableError, match="Set the password again"):
        services.reset_password(mailbox=MailboxFactory(address=LEA), password=PASSWORD)
    assert Entry.objects.get().outcome.result == Outcome.Result.FAILED


def test_a_password_for_a_mailbox_that_is_gone_is_refused(purelymail, domain):
    with pytest.raises(RefusedError, match="not at PurelyMail any more"):
        services.reset_password(mailbox=MailboxFactory(address=LEA), password=PASSWORD)


def test_a_truncated_list_is_marked_and_loses_nobody(purelymail, domain):
    MailboxFactory(address=f"beyond-the-end@{DOMAIN}")
    purelymail.state.users = {}
    for number in range(1005):
        purelymail.state.users[f"user-{number}@{DOMAIN}"] = None
    refresh([Kind.MAILBOXES])
    assert SyncState.objects.get(pk=Kind.MAILBOXES).may_be_truncated
    assert Mailbox.objects.count() == 1001
    purelymail.state.users = {f"user-{number}@{DOMAIN}": None for number in range(999)}
    refresh([Kind.MAILBOXES])
    assert not SyncState.objects.get(pk=Kind.MAILBOXES).may_be_truncated
    assert Mailbox.objects.count() == 999


def test_odd_names_from_purelymail_do_not_stop_the_refresh(purelymail, domain, monkeypatch):
    from purelymanage.purelymail.types import UserList

    odd = [
        LEA.upper(),
        "no-address",
        f"{'x' * 300}@{DOMAIN}",
        "nul\x00@a.example",
        "a@purelymail.com",
    ]
    monkeypatch.setattr(purelymail.client, "list_users", lambda: UserList(odd, False))
    services.refresh_mailboxes()
    assert sorted(Mailbox.objects.values_list("address", flat=True)) == ["a@purelymail.com", LEA]
    assert Domain.objects.get(name="purelymail.com").is_shared
