"""What each operation sends, returns and refuses, against the simulator."""

from __future__ import annotations

import os
import threading
import time
from decimal import Decimal

import pytest
from django.test import override_settings

from purelymanage.core.errors import InvalidError, RefusedError
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import (
    ApiRefusedError,
    DomainExistsError,
    InvalidTokenError,
    NoAnswerError,
    OwnershipError,
    RuleExistsError,
    UnknownOutcomeError,
    UserMissingError,
)
from purelymanage.purelymail.types import RecoveryMethod, RemoteDomain, RemoteRule, RemoteUser

pytestmark = pytest.mark.once

ALICE = "alice@example.com"
LONG_CREDIT = "3.4100000000208333333259876543209876543209876543209876543209876543"


@pytest.fixture
def client(purelymail):
    purelymail.state.add_domain("example.com", spf=False)
    purelymail.state.add_user(ALICE, password="first")
    return purelymail.client


def test_credit_keeps_every_digit(purelymail, client):
    purelymail.state.credit = LONG_CREDIT
    assert client.check_account_credit() == Decimal(LONG_CREDIT)
    assert str(client.check_account_credit()) == LONG_CREDIT


@pytest.mark.parametrize("credit", ["--5", "", "five", "1.2.3"])
def test_a_credit_that_is_no_amount_is_no_answer(purelymail, client, credit):
    purelymail.state.credit = credit
    with pytest.raises(NoAnswerError, match="expected form"):
        client.check_account_credit()


def test_a_negative_credit_is_read(purelymail, client):
    purelymail.state.credit = "-0.25"
    assert client.check_account_credit() == Decimal("-0.25")


def test_domains_are_listed_with_settings_and_verdicts(client):
    assert client.list_domains() == [
        RemoteDomain(
            name="example.com",
            is_shared=False,
            allow_account_reset=True,
            symbolic_subaddressing=True,
            passes_mx=True,
            passes_spf=False,
            passes_dkim=True,
            passes_dmarc=True,
        )
    ]


def test_shared_domains_are_listed_only_on_request(client):
    shared = [one.name for one in client.list_domains(include_shared=True) if one.is_shared]
    assert "purelymail.com" in shared
    assert not any(one.is_shared for one in client.list_domains())


def test_the_ownership_code_comes_with_its_prefix(purelymail, client):
    assert client.get_ownership_code() == purelymail.state.ownership_code
    assert client.get_ownership_code().startswith("purelymail_ownership_proof=")


def test_a_domain_without_ownership_record_is_refused_with_what_to_do(purelymail, client):
    with pytest.raises(OwnershipError, match=r"ownership record of new\.example\. Publish the TXT"):
        client.add_domain(name="new.example")
    purelymail.state.publish_ownership("new.example")
    client.add_domain(name="new.example")
    with pytest.raises(DomainExistsError, match=r"new\.example is on the PurelyMail account"):
        client.add_domain(name="new.example")


def test_a_recheck_shows_in_the_next_list(purelymail, client):
    purelymail.state.publish_dns("example.com", mx=True, spf=True)
    assert not client.list_domains()[0].passes_spf
    client.update_domain_settings(name="example.com", recheck_dns=True)
    assert client.list_domains()[0].passes_spf


def test_domain_settings_left_out_stay_as_they_are(client):
    client.update_domain_settings(name="example.com", allow_account_reset=False)
    domain = client.list_domains()[0]
    assert (domain.allow_account_reset, domain.symbolic_subaddressing) == (False, True)


def test_a_list_of_a_thousand_mailboxes_may_be_truncated(purelymail, client):
    assert not client.list_users().may_be_truncated
    user = purelymail.state.users[ALICE]
    for number in range(1500):
        purelymail.state.users[f"u{number:04}@example.com"] = user
    users = client.list_users()
    assert (len(users.addresses), users.may_be_truncated) == (1000, True)


@pytest.mark.parametrize("present", [True, False])
def test_a_mailbox_beyond_a_truncated_list_is_looked_up_by_itself(purelymail, client, present):
    user = purelymail.state.users[ALICE]
    for number in range(1000):
        purelymail.state.users[f"a{number:04}@example.com"] = user
    purelymail.fault("createUser", "drop_after" if present else "drop_before")
    arguments = {"local_part": "zoe", "domain": "example.com", "password": "pw"}
    if present:
        client.create_user(**arguments)
    else:
        with pytest.raises(Exception, match="Nothing was changed"):
            client.create_user(**arguments)
    assert purelymail.calls["getUser"] >= 1


def test_a_new_mailbox_has_password_reset_off_and_opens_with_its_password(purelymail, client):
    client.create_user(local_part="bob", domain="example.com", password="correct horse")
    assert client.get_user(address="bob@example.com") == RemoteUser(
        address="bob@example.com",
        enable_search_indexing=True,
        enable_password_reset=False,
        require_two_factor=False,
        enable_spam_filtering=True,
        recovery_methods=[],
    )
    assert purelymail.state.verify_password("bob@example.com", "correct horse")


def test_recovery_data_given_at_creation_arrives(client):
    client.create_user(
        local_part="bob",
        domain="example.com",
        password="pw",
        enable_password_reset=True,
        recovery_email="bob@example.net",
        recovery_email_description="private",
    )
    user = client.get_user(address="bob@example.com")
    assert user.enable_password_reset
    assert user.recovery_methods == [RecoveryMethod("email", "bob@example.net", "private", True)]


def test_an_unknown_reason_is_shown_word_for_word(client):
    with pytest.raises(ApiRefusedError) as caught:
        client.create_user(local_part="alice", domain="example.com", password="pw")
    assert caught.value.code == "userAlreadyExists"
    assert caught.value.message == (
        "PurelyMail refused to create the mailbox (alice@example.com): "
        "“User already exists” (userAlreadyExists)."
    )


def test_a_new_password_replaces_the_old_one(purelymail, client):
    client.modify_user(address=ALICE, new_password="second")
    assert purelymail.state.verify_password(ALICE, "second")
    assert not purelymail.state.verify_password(ALICE, "first")


def test_settings_are_changed_one_by_one(client):
    client.modify_user(address=ALICE, require_two_factor=True)
    client.modify_user(address=ALICE, enable_search_indexing=False)
    user = client.get_user(address=ALICE)
    assert (user.require_two_factor, user.enable_search_indexing) == (True, False)


def test_an_unclear_password_change_says_that_it_cannot_be_verified(purelymail, client):
    purelymail.fault("modifyUser", "drop_after", times=None)
    with pytest.raises(UnknownOutcomeError, match=r"no way to find out\. Set the password again"):
        client.modify_user(address=ALICE, new_password="second")


def test_an_unclear_rename_with_a_password_says_what_to_look_at(purelymail, client):
    purelymail.fault("modifyUser", "drop_after")
    with pytest.raises(UnknownOutcomeError, match="which of the two is in the list"):
        client.modify_user(address=ALICE, new_address="al@example.com", new_password="second")
    assert purelymail.calls["modifyUser"] == 1


def test_an_unclear_rename_with_settings_is_found(purelymail, client):
    purelymail.fault("modifyUser", "drop_after")
    client.modify_user(address=ALICE, new_address="al@example.com", require_two_factor=True)
    assert client.get_user(address="al@example.com").require_two_factor


def test_a_deleted_mailbox_is_gone_and_deleting_it_again_says_so(client):
    client.delete_user(address=ALICE)
    assert client.list_users().addresses == []
    with pytest.raises(UserMissingError, match=r"does not know alice@example\.com"):
        client.delete_user(address=ALICE)


def test_recovery_methods_are_added_changed_and_removed(client):
    client.upsert_recovery_method(address=ALICE, type="email", target="a@example.net")
    client.upsert_recovery_method(
        address=ALICE,
        type="phone",
        target="+49 30 1",
        existing_target="a@example.net",
        description="mobile",
        allow_mfa_reset=False,
    )
    assert client.list_recovery_methods(address=ALICE) == [
        RecoveryMethod("phone", "+49 30 1", "mobile", False)
    ]
    client.delete_recovery_method(address=ALICE, target="+49 30 1")
    assert client.list_recovery_methods(address=ALICE) == []


def test_a_removal_without_target_never_leaves_the_panel(purelymail, client):
    with pytest.raises(InvalidError, match="Name the recovery method"):
        client.delete_recovery_method(address=ALICE, target="")
    assert purelymail.calls["deletePasswordReset"] == 0


RULE = {"domain": "example.com", "match_user": "shop", "is_prefix": False, "is_catchall": False}


def test_a_new_rule_is_found_by_reading_back(client):
    targets = [ALICE, "x@example.net"]
    client.create_routing_rule(**{**RULE, "is_prefix": True}, targets=targets)
    rule = client.create_routing_rule(**RULE, targets=targets)
    assert rule == RemoteRule(123_001, targets=targets, **RULE)
    assert rule in client.list_routing_rules()


def test_the_same_rule_again_is_the_same_rule(client):
    first = client.create_routing_rule(**RULE, targets=[ALICE])
    assert client.create_routing_rule(**RULE, targets=[ALICE]) == first
    assert client.list_routing_rules() == [first]


def test_a_rule_with_other_targets_is_refused(client):
    client.create_routing_rule(**RULE, targets=[ALICE])
    with pytest.raises(RuleExistsError, match=r"shop@example\.com has a routing rule"):
        client.create_routing_rule(**RULE, targets=["x@example.net"])


def test_a_rule_that_was_accepted_but_cannot_be_listed_is_reported(purelymail, client):
    purelymail.fault("listRoutingRules", "http_500", times=None)
    with pytest.raises(UnknownOutcomeError, match=r"accepted the rule for shop@example\.com"):
        client.create_routing_rule(**RULE, targets=[ALICE])
    assert len(purelymail.state.rules) == 1


def test_a_rule_is_deleted_by_its_number(client):
    rule = client.create_routing_rule(**RULE, targets=[ALICE])
    client.delete_routing_rule(rule_id=rule.id)
    assert client.list_routing_rules() == []


def test_an_app_password_opens_the_mailbox_until_it_is_revoked(purelymail, client):
    secret = client.create_app_password(address=ALICE, name="phone")
    assert purelymail.state.verify_password(ALICE, secret)
    client.delete_app_password(address=ALICE, app_password=secret)
    assert not purelymail.state.verify_password(ALICE, secret)


def test_the_simulators_own_refusals_are_our_errors(client):
    with pytest.raises(RefusedError, match="Unknown routing rule"):
        client.delete_routing_rule(rule_id=1)
    with pytest.raises(RefusedError, match="Unknown domain"):
        client.delete_domain(name="other.example")


def test_get_client_is_kept_per_thread_and_follows_the_settings(purelymail):
    client = get_client()
    assert get_client() is client
    others = []
    thread = threading.Thread(target=lambda: others.append(get_client()))
    thread.start()
    thread.join()
    assert others[0] is not client
    with override_settings(PURELYMAIL_API_TOKEN="another"):
        assert get_client() is not client
        with pytest.raises(InvalidTokenError):
            get_client().list_users()
    assert get_client().list_users().addresses == []


def test_a_forked_process_gets_a_connection_of_its_own(purelymail, monkeypatch):
    client = get_client()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert get_client() is not client


def test_a_connection_that_was_closed_while_idle_is_replaced_before_a_change(purelymail, client):
    client.list_users()
    purelymail.server.hang_up()
    time.sleep(0.05)
    client.create_user(local_part="bob", domain="example.com", password="pw")
    assert purelymail.calls == {"listUser": 1, "createUser": 1}


@pytest.mark.parametrize(
    ("token", "sentence"),
    [("", "No PurelyMail API token is set"), ("tok\nen", "characters that no token has")],
)
def test_a_token_that_cannot_be_right_is_never_sent(purelymail, token, sentence):
    with override_settings(PURELYMAIL_API_TOKEN=token), pytest.raises(InvalidTokenError) as caught:
        get_client().list_users()
    assert sentence in caught.value.message
    assert purelymail.calls["listUser"] == 0


def test_the_simulator_is_not_looked_for_behind_a_proxy(purelymail, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    assert purelymail.client.list_users().addresses == []
