"""Every change under every fault: it ends with the truth, and takes effect at most once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from purelymanage.core.errors import UnavailableError
from purelymanage.purelymail.client import PurelyMailClient
from purelymanage.purelymail.errors import InvalidTokenError, UnknownOutcomeError
from purelymanage.purelymail.simulator.account import Account

pytestmark = pytest.mark.once

ALICE = "alice@example.com"
METHOD = "alice@example.net"


@dataclass
class Change:
    """One write: how to make it, and how to see in the simulator whether it was made."""

    operation: str
    make: Callable[[PurelyMailClient], Any]
    effects: Callable[[Account], int]
    """How often it took effect."""
    repeatable: bool = False
    readable: bool = True


def rules(account: Account, match_user: str) -> int:
    return sum(rule.match_user == match_user for rule in account.rules.values())


def methods(account: Account, target: str) -> int:
    return sum(method.target == target for method in account.users[ALICE].methods)


CHANGES = {
    "add domain": Change(
        "addDomain",
        lambda client: client.add_domain(name="new.example"),
        lambda account: int("new.example" in account.domains),
    ),
    "update domain": Change(
        "updateDomainSettings",
        lambda client: client.update_domain_settings(
            name="example.com", symbolic_subaddressing=False
        ),
        lambda account: int(not account.domains["example.com"].symbolic_subaddressing),
        repeatable=True,
    ),
    "recheck domain": Change(
        "updateDomainSettings",
        lambda client: client.update_domain_settings(name="old.example", recheck_dns=True),
        lambda account: int(account.domains["old.example"].seen.dmarc),
        repeatable=True,
        readable=False,
    ),
    "delete domain": Change(
        "deleteDomain",
        lambda client: client.delete_domain(name="old.example"),
        lambda account: int("old.example" not in account.domains),
    ),
    "create mailbox": Change(
        "createUser",
        lambda client: client.create_user(local_part="bob", domain="example.com", password="pw"),
        lambda account: int("bob@example.com" in account.users),
    ),
    "set password": Change(
        "modifyUser",
        lambda client: client.modify_user(address=ALICE, new_password="changed"),
        lambda account: int(account.verify_password(ALICE, "changed")),
        repeatable=True,
        readable=False,
    ),
    "change settings": Change(
        "modifyUser",
        lambda client: client.modify_user(address=ALICE, enable_search_indexing=False),
        lambda account: int(not account.users[ALICE].enable_search_indexing),
        repeatable=True,
    ),
    "rename mailbox": Change(
        "modifyUser",
        lambda client: client.modify_user(address=ALICE, new_address="alicia@example.com"),
        lambda account: int("alicia@example.com" in account.users and ALICE not in account.users),
    ),
    "delete mailbox": Change(
        "deleteUser",
        lambda client: client.delete_user(address=ALICE),
        lambda account: int(ALICE not in account.users),
    ),
    "add recovery method": Change(
        "upsertPasswordReset",
        lambda client: client.upsert_recovery_method(
            address=ALICE, type="phone", target="+49", description="mobile"
        ),
        lambda account: methods(account, "+49"),
    ),
    "change recovery method": Change(
        "upsertPasswordReset",
        lambda client: client.upsert_recovery_method(
            address=ALICE, type="email", target="a@b.example", existing_target=METHOD
        ),
        lambda account: methods(account, "a@b.example") * (1 - methods(account, METHOD)),
    ),
    "remove recovery method": Change(
        "deletePasswordReset",
        lambda client: client.delete_recovery_method(address=ALICE, target=METHOD),
        lambda account: 1 - methods(account, METHOD),
    ),
    "create rule": Change(
        "createRoutingRule",
        lambda client: client.create_routing_rule(
            domain="example.com",
            match_user="shop",
            is_prefix=False,
            is_catchall=False,
            targets=[ALICE],
        ),
        lambda account: rules(account, "shop"),
    ),
    "delete rule": Change(
        "deleteRoutingRule",
        lambda client: client.delete_routing_rule(rule_id=123_000),
        lambda account: 1 - rules(account, "info"),
    ),
    "create app password": Change(
        "createAppPassword",
        lambda client: client.create_app_password(address=ALICE),
        lambda account: len(account.users[ALICE].app_passwords),
        readable=False,
    ),
}
BEFORE = [
    ("drop_before", {}),
    ("timeout_before", {}),
    ("http_500", {}),
    ("html", {}),
    ("truncated", {"after": False}),
]
AFTER = [
    ("drop_after", {}),
    ("timeout_after", {}),
    ("http_500", {"after": True}),
    ("html", {"after": True}),
    ("truncated", {}),
]


def named(faults: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    return [pytest.param(*fault, id=" ".join([fault[0], *map(str, fault[1])])) for fault in faults]


@pytest.fixture(params=CHANGES)
def change(request) -> Change:
    return CHANGES[request.param]


@pytest.fixture
def account(purelymail) -> Account:
    account = purelymail.state
    account.add_domain("example.com")
    account.add_domain("old.example", dmarc=False)
    account.publish_dns("old.example", dmarc=True)
    account.publish_ownership("new.example")
    account.add_user(ALICE).add_method("email", METHOD)
    account.add_rule("example.com", "info", ALICE)
    return account


@pytest.fixture(autouse=True)
def short_time_outs(request, purelymail):
    """Only where a time-out is awaited, so that a busy machine makes no others."""
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    if str(parameters.get("fault")).startswith("timeout"):
        purelymail.give_up_after(0.6)


def test_a_change_without_a_fault_is_made_once(purelymail, account, change):
    change.make(purelymail.client)
    assert change.effects(account) == 1
    assert purelymail.calls[change.operation] == 1
    assert purelymail.pauses == []


@pytest.mark.parametrize(("fault", "details"), named(AFTER))
def test_a_change_whose_answer_was_lost_is_found_and_not_repeated(
    purelymail, account, change, fault, details
):
    purelymail.fault(change.operation, fault, **details)
    if change.readable or change.repeatable:
        change.make(purelymail.client)
    else:
        with pytest.raises(UnknownOutcomeError):
            change.make(purelymail.client)
    assert change.effects(account) == 1
    assert purelymail.calls[change.operation] == (2 if change.repeatable else 1)


@pytest.mark.parametrize(("fault", "details"), named(BEFORE))
def test_a_change_that_never_arrived_is_made_later_or_reported_as_not_made(
    purelymail, account, change, fault, details
):
    purelymail.fault(change.operation, fault, **details)
    if change.repeatable:
        change.make(purelymail.client)
        assert change.effects(account) == 1
        return
    with pytest.raises(UnavailableError) as caught:
        change.make(purelymail.client)
    assert change.effects(account) == 0
    assert purelymail.calls[change.operation] == 1
    assert isinstance(caught.value, UnknownOutcomeError) is not change.readable
    assert ("Nothing was changed" in caught.value.message) is change.readable


@pytest.mark.parametrize(("fault", "details"), named(BEFORE))
def test_a_change_that_never_gets_through_is_not_called_a_success(
    purelymail, account, change, fault, details
):
    purelymail.fault(change.operation, fault, times=None, **details)
    with pytest.raises(UnavailableError) as caught:
        change.make(purelymail.client)
    assert change.effects(account) == 0
    assert purelymail.calls[change.operation] <= (3 if change.repeatable else 1)
    assert isinstance(caught.value, UnknownOutcomeError) is not change.readable


def test_a_change_that_cannot_be_read_back_is_reported_as_unknown(purelymail, account, change):
    purelymail.fault(change.operation, "drop_after")
    purelymail.down()
    with pytest.raises(UnknownOutcomeError) as caught:
        change.make(purelymail.client)
    assert "Nothing was changed" not in caught.value.message
    assert change.effects(account) == 1


def test_a_wrong_token_refuses_the_change_and_says_where_to_set_it(purelymail, account, change):
    purelymail.fault(change.operation, "invalid_token")
    with pytest.raises(InvalidTokenError, match="PURELYMAIL_API_TOKEN"):
        change.make(purelymail.client)
    assert change.effects(account) == 0
    assert purelymail.calls[change.operation] == 1


def test_a_request_to_slow_down_is_honoured(purelymail, account, change):
    purelymail.fault(change.operation, "rate_limit", retry_after=7)
    change.make(purelymail.client)
    assert change.effects(account) == 1
    assert purelymail.pauses == [7]


def test_a_request_for_a_long_pause_is_told_and_nothing_is_changed(purelymail, account, change):
    purelymail.fault(change.operation, "rate_limit", retry_after=90, times=None)
    with pytest.raises(UnavailableError, match=r"in 90 seconds\. Nothing was changed"):
        change.make(purelymail.client)
    assert change.effects(account) == 0
    assert purelymail.calls[change.operation] == 1
    assert purelymail.pauses == []


def test_a_late_answer_is_still_an_answer(purelymail, account, change):
    purelymail.fault(change.operation, "latency", seconds=0.05)
    change.make(purelymail.client)
    assert change.effects(account) == 1
    assert purelymail.calls[change.operation] == 1


def test_a_change_still_under_way_at_the_first_look_is_found_at_the_second(
    purelymail, account, monkeypatch
):
    purelymail.fault("createUser", "drop_before")
    client = purelymail.client
    looks = iter([False, True])
    monkeypatch.setattr(client, "_exists", lambda address: next(looks))
    client.create_user(local_part="bob", domain="example.com", password="pw")
    assert purelymail.pauses == [1.0]


@pytest.mark.parametrize(
    "fault", ["drop_before", "timeout_before", "http_500", "html", "truncated", "rate_limit"]
)
@pytest.mark.parametrize("operation", ["listUser", "listDomains", "checkAccountCredit"])
def test_a_read_survives_one_fault(purelymail, account, operation, fault):
    reads = {
        "listUser": purelymail.client.list_users,
        "listDomains": purelymail.client.list_domains,
        "checkAccountCredit": purelymail.client.check_account_credit,
    }
    expected = reads[operation]()
    purelymail.fault(operation, fault)
    assert reads[operation]() == expected
    assert purelymail.calls[operation] == 3
    assert len(purelymail.pauses) == 1


def test_a_read_gives_up_after_three_attempts_with_growing_pauses(purelymail, account):
    purelymail.down()
    with pytest.raises(UnavailableError, match="Try again in a few minutes"):
        purelymail.client.list_users()
    assert purelymail.calls["listUser"] == 3
    first, second = purelymail.pauses
    assert 0.25 <= first <= 0.5 <= second <= 1.0


def test_a_read_that_times_out_is_tried_twice_only(purelymail, account):
    purelymail.give_up_after(0.25)
    purelymail.fault("listUser", "timeout_before", times=None)
    with pytest.raises(UnavailableError, match=r"did not answer within 0\.25 seconds"):
        purelymail.client.list_users()
    assert purelymail.calls["listUser"] == 2


def test_a_wrong_token_is_not_tried_again(purelymail, account):
    purelymail.fault("listUser", "invalid_token", times=None)
    with pytest.raises(InvalidTokenError):
        purelymail.client.list_users()
    assert purelymail.calls["listUser"] == 1


def test_a_lost_answer_followed_by_a_refusal_is_not_called_a_refusal(purelymail, account):
    purelymail.fault("modifyUser", "drop_after")
    purelymail.fault("modifyUser", "invalid_token")
    purelymail.fault("getUser", "invalid_token")
    with pytest.raises(UnknownOutcomeError):
        purelymail.client.modify_user(address=ALICE, enable_search_indexing=False)
    assert not account.users[ALICE].enable_search_indexing


def test_an_app_password_whose_revocation_is_unclear_is_reported_as_such(purelymail, account):
    secret = purelymail.client.create_app_password(address=ALICE)
    purelymail.fault("deleteAppPassword", "drop_before")
    with pytest.raises(UnknownOutcomeError, match="may still open the mailbox"):
        purelymail.client.delete_app_password(address=ALICE, app_password=secret)
    assert account.verify_password(ALICE, secret)


@pytest.mark.parametrize(("targets", "is_catchall"), [(["x@example.net"], False), ([ALICE], True)])
def test_a_similar_rule_is_not_taken_for_the_one_that_was_lost(
    purelymail, account, targets, is_catchall
):
    account.add_rule("example.com", "shop", *targets, is_catchall=is_catchall)
    purelymail.fault("createRoutingRule", "drop_before")
    with pytest.raises(UnavailableError, match="Nothing was changed"):
        CHANGES["create rule"].make(purelymail.client)


def test_a_mailbox_that_has_the_new_name_already_is_not_taken_for_the_renamed_one(
    purelymail, account
):
    account.add_user("alicia@example.com")
    purelymail.fault("modifyUser", "drop_before")
    with pytest.raises(UnavailableError, match="Nothing was changed"):
        CHANGES["rename mailbox"].make(purelymail.client)
