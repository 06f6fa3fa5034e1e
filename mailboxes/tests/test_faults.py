"""Every change under every fault: what the page says is what PurelyMail has, or is not known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from audit.models import Outcome
from domains.tests.factories import DomainFactory
from mailboxes.models import Mailbox
from mailboxes.tests.factories import MailboxFactory
from mailboxes.tests.pages import DOMAIN, LEA, PASSWORD, page
from purelymanage.purelymail.simulator.account import Account, SimUser, hashed, matches
from purelymanage.purelymail.testing import on_the_wire

pytestmark = pytest.mark.django_db

NEW = f"new@{DOMAIN}"
APP_PASSWORD = "abcdefghijklmnopqrst"
PRIVATE, OTHER = "lea@private.example", "lea@other.example"


@dataclass
class Change:
    """A form that is sent: the call it makes, and whether the simulator has it."""

    operation: str
    method: str
    """Of our client."""
    path: str
    form: dict[str, Any]
    made: Callable[[Account], bool]
    address: str = LEA
    """What the row of the mailbox is called once the change is made."""
    is_knowable: bool = True
    """Whether PurelyMail can be asked afterwards."""


def user(account: Account) -> SimUser:
    return account.users[LEA]


def targets(account: Account) -> list[str]:
    return [method.target for method in user(account).methods]


def setting(name: str, *, value: str, sim: str, wanted: bool) -> Change:
    return Change(
        "modifyUser",
        "modify_user",
        "{pk}/settings/change/",
        {"setting": name, "value": value},
        lambda account: getattr(user(account), sim) is wanted,
    )


CHANGES = {
    "create": Change(
        "createUser",
        "create_user",
        "new/",
        {"local_part": "new", "domain": DOMAIN, "password": PASSWORD},
        lambda account: NEW in account.users,
    ),
    "reset the password": Change(
        "modifyUser",
        "modify_user",
        "{pk}/password/",
        {"password": PASSWORD},
        lambda account: matches(PASSWORD, user(account).password),
        is_knowable=False,
    ),
    "require a second factor": setting(
        "require_two_factor", value="on", sim="require_two_factor", wanted=True
    ),
    "allow resetting the password": setting(
        "enable_password_reset", value="on", sim="recovery_enabled", wanted=True
    ),
    "stop indexing": setting(
        "enable_search_indexing", value="", sim="enable_search_indexing", wanted=False
    ),
    "rename": Change(
        "modifyUser",
        "modify_user",
        "{pk}/rename/",
        {"local_part": "new", "domain": DOMAIN},
        lambda account: NEW in account.users and LEA not in account.users,
        address=NEW,
    ),
    "add a recovery method": Change(
        "upsertPasswordReset",
        "upsert_recovery_method",
        "{pk}/recovery/new/",
        {"type": "email", "target": OTHER},
        lambda account: targets(account) == [PRIVATE, OTHER],
    ),
    "edit a recovery method": Change(
        "upsertPasswordReset",
        "upsert_recovery_method",
        "{pk}/recovery/edit/",
        {"type": "email", "target": OTHER, "existing_target": PRIVATE},
        lambda account: targets(account) == [OTHER],
    ),
    "remove a recovery method": Change(
        "deletePasswordReset",
        "delete_recovery_method",
        "{pk}/recovery/remove/",
        {"target": PRIVATE, "confirmed": "1"},
        lambda account: targets(account) == [],
    ),
    "create an app password": Change(
        "createAppPassword",
        "create_app_password",
        "{pk}/app-passwords/new/",
        {"name": "Thunderbird"},
        lambda account: len(user(account).app_passwords) == 2,
        is_knowable=False,
    ),
    "revoke an app password": Change(
        "deleteAppPassword",
        "delete_app_password",
        "{pk}/app-passwords/revoke/",
        {"app_password": APP_PASSWORD},
        lambda account: user(account).app_passwords == [],
        is_knowable=False,
    ),
}
FAULTS = (
    "timeout_before",
    "timeout_after",
    "http_500",
    "html",
    "truncated",
    "drop_before",
    "drop_after",
    "invalid_token",
    "rate_limit",
)
NOT_KNOWN = ("It is not known", "may now exist", "could not be asked", "does not know")
NOT_MADE = ("Nothing was changed", "PURELYMAIL_API_TOKEN")


def claim(response) -> str:
    """What the page tells about the change: made, not made, or not known."""
    if response.status_code in (200, 302):
        return "made"
    assert response.status_code == 422
    html = page(response)
    if any(words in html for words in NOT_KNOWN):
        return "not known"
    assert any(words in html for words in NOT_MADE)
    return "not made"


@pytest.fixture
def account(purelymail) -> Account:
    account = purelymail.state
    account.add_domain(DOMAIN)
    lea = account.add_user(LEA, password="the old one")
    lea.add_method("email", PRIVATE)
    lea.app_passwords.append(hashed(APP_PASSWORD))
    return account


@pytest.fixture
def send(admin_client, account):
    """Send the form of a change about the mailbox of Lea."""
    DomainFactory(name=DOMAIN)
    lea = MailboxFactory(address=LEA)

    def send(change: Change):
        return admin_client.post(f"/mailboxes/{change.path.format(pk=lea.pk)}", change.form)

    send.pk = lea.pk
    return send


def assert_rows_agree(change: Change, pk: int, *, made: bool) -> None:
    """The mailbox keeps its row, and a new one has a row once it is made."""
    assert Mailbox.objects.get(pk=pk).address == (change.address if made else LEA)
    is_new = change.operation == "createUser"
    assert Mailbox.objects.count() == (2 if is_new and made else 1)


@pytest.mark.parametrize("name", CHANGES)
def test_without_a_fault_a_change_is_made_and_told(send, purelymail, account, name):
    change = CHANGES[name]
    assert claim(send(change)) == "made"
    assert change.made(account)
    assert purelymail.calls[change.operation] == 1
    assert_rows_agree(change, send.pk, made=True)


@pytest.mark.parametrize("fault", on_the_wire(FAULTS))
@pytest.mark.parametrize("name", CHANGES)
def test_under_a_fault_the_page_tells_what_purelymail_has(send, purelymail, account, name, fault):
    change = CHANGES[name]
    if fault.startswith("timeout"):
        purelymail.give_up_after(0.25)
    purelymail.fault(change.operation, fault)
    told = claim(send(change))
    made = change.made(account)
    if told == "not known":
        assert not change.is_knowable
        assert Outcome.objects.get().result == Outcome.Result.FAILED
    else:
        assert (told == "made") is made
    assert_rows_agree(change, send.pk, made=made)
    assert len(account.users) == (2 if change.operation == "createUser" and made else 1)
    assert len(user_of(account).app_passwords) <= 2, "made once"
    assert len(set(methods_of(account))) == len(methods_of(account)), "made once"


def user_of(account: Account) -> SimUser:
    return account.users.get(LEA) or account.users[NEW]


def methods_of(account: Account) -> list[str]:
    return [method.target for method in user_of(account).methods]


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_that_cannot_be_looked_at_afterwards_is_never_called_unmade(
    send, purelymail, account, name, monkeypatch
):
    change = CHANGES[name]
    make = getattr(purelymail.client, change.method)

    def make_and_fall_silent(**fields):
        answer = make(**fields)
        purelymail.down()
        return answer

    monkeypatch.setattr(purelymail.client, change.method, make_and_fall_silent)
    told = claim(send(change))
    assert change.made(account)
    assert told in ("made", "not known")
    assert_rows_agree(change, send.pk, made=True)


@pytest.mark.parametrize("name", [name for name, change in CHANGES.items() if change.is_knowable])
def test_a_yes_without_effect_is_no_success(send, purelymail, account, name, monkeypatch):
    change = CHANGES[name]
    monkeypatch.setattr(purelymail.client, change.method, lambda **_fields: None)
    response = send(change)
    assert response.status_code == 422
    assert "PurelyMail said" in page(response)
    assert not change.made(account)
    assert_rows_agree(change, send.pk, made=False)
    assert Outcome.objects.get().result != Outcome.Result.OK


@pytest.mark.parametrize("name", CHANGES)
def test_without_purelymail_nothing_is_changed_and_what_was_typed_stays(
    send, purelymail, account, name
):
    change = CHANGES[name]
    before = repr(account)
    purelymail.down()
    response = send(change)
    assert response.status_code == 422
    assert repr(account) == before
    assert_rows_agree(change, send.pk, made=False)
    typed = [
        change.form[field] for field in ("target", "name", "local_part") if field in change.form
    ]
    for value in typed if "confirmed" not in change.form else []:
        assert value in page(response)


@pytest.mark.parametrize("name", [name for name in CHANGES if name != "create"])
def test_a_mailbox_that_is_gone_is_told_so(send, account, name):
    del account.users[LEA]
    response = send(CHANGES[name])
    assert response.status_code == 422
    assert "not at PurelyMail any more, so nothing was changed" in page(response)


@pytest.mark.parametrize("name", ["add a recovery method", "create", "rename"])
def test_sent_twice_it_is_made_once(send, purelymail, account, name):
    change = CHANGES[name]
    send(change)
    again = send(change)
    assert again.status_code == 422
    assert "already" in page(again)
    assert purelymail.calls[change.operation] == 1
