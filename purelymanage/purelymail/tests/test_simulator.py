"""The simulator by itself: PurelyMail's quirks, its controls, and what it keeps."""

from __future__ import annotations

import json
import stat

import pytest
import requests

from purelymanage.purelymail.simulator import storage
from purelymanage.purelymail.simulator.account import Account
from purelymanage.purelymail.simulator.demo import CREDIT, DEMO_PASSWORD, demo_account
from purelymanage.purelymail.simulator.server import SimulatorServer
from purelymanage.purelymail.simulator.service import Service

pytestmark = pytest.mark.once

ALICE = "alice@example.com"


class Wire:
    """Plain HTTP, as curl would speak it."""

    def __init__(self, server: SimulatorServer) -> None:
        self.base = server.url
        self.headers = {"Purelymail-Api-Token": "test-token"}

    def raw(self, operation: str, body: object = None, **options: object) -> requests.Response:
        options = {"headers": self.headers, "json": body or {}, "timeout": 10} | options
        return requests.post(f"{self.base}/api/v0/{operation}", **options)

    def ok(self, operation: str, **body: object) -> dict:
        response = self.raw(operation, body)
        assert response.status_code == 200
        assert response.json()["type"] == "success", response.json()
        return response.json()["result"]

    def refused(self, operation: str, **body: object) -> tuple[str, str]:
        response = self.raw(operation, body)
        answer = response.json()
        assert response.status_code == 200
        assert answer.pop("type") == "error", answer
        assert answer.keys() == {"code", "message"}
        return answer["code"], answer["message"]

    def control(self, method: str, name: str, body: object = None, **headers: str) -> object:
        response = requests.request(
            method, f"{self.base}/_simulator/{name}", json=body, headers=headers, timeout=10
        )
        return response.json() if response.ok else response.status_code


@pytest.fixture
def wire(purelymail) -> Wire:
    purelymail.state.add_domain("example.com")
    purelymail.state.add_user(ALICE, password="first")
    return Wire(purelymail.server)


def test_a_wrong_or_missing_token_is_an_error_with_http_200(wire):
    wire.headers = {"Purelymail-Api-Token": "wrong"}
    assert wire.refused("listUser") == ("invalidToken", "Token not valid.")
    wire.headers = {"Authorization": "Bearer test-token"}
    assert wire.refused("listUser") == (
        "invalidToken",
        "Token must be supplied in Purelymail-Api-Token header",
    )


@pytest.mark.parametrize("path", ["/api/v0/listUsers", "/api/v1/listUser", "/", "/api/v0/"])
def test_an_unknown_operation_is_a_404_page(wire, path):
    response = requests.post(f"{wire.base}{path}", json={}, headers=wire.headers, timeout=10)
    assert response.status_code == 404
    assert "text/html" in response.headers["Content-Type"]


def test_operations_are_posts_only(wire):
    response = requests.get(f"{wire.base}/api/v0/listUser", headers=wire.headers, timeout=10)
    assert response.status_code == 404


@pytest.mark.parametrize("content", [b"", b"[]", b"{"])
def test_a_body_that_is_no_object_is_refused(wire, content):
    assert wire.raw("listUser", json=None, data=content).json()["type"] == "error"


def test_modify_user_ignores_password_and_other_unknown_fields(wire, purelymail):
    assert wire.ok("modifyUser", userName=ALICE, password="second", quota=1) == {}
    assert purelymail.state.verify_password(ALICE, "first")
    wire.ok("modifyUser", userName=ALICE, newPassword="second")
    assert purelymail.state.verify_password(ALICE, "second")


def test_password_reset_may_need_a_password_to_be_turned_on(wire, purelymail):
    purelymail.state.reset_needs_password = True
    wire.ok("modifyUser", userName=ALICE, enablePasswordReset=True)
    assert not wire.ok("getUser", userName=ALICE)["recoveryEnabled"]
    wire.ok("modifyUser", userName=ALICE, enablePasswordReset=True, newPassword="second")
    assert wire.ok("getUser", userName=ALICE)["recoveryEnabled"]


def test_creating_a_rule_tells_no_id_and_conflicts_go_by_domain_match_and_prefix(wire):
    rule = {
        "domainName": "example.com",
        "prefix": True,
        "matchUser": "",
        "targetAddresses": [ALICE],
    }
    assert wire.ok("createRoutingRule", **rule, catchall=True) == {}
    assert wire.ok("createRoutingRule", **rule, catchall=True) == {}
    assert len(wire.ok("listRoutingRules")["rules"]) == 1
    clash = ("ruleAlreadyExists", "Routing rule conflicts with an existing rule")
    assert wire.refused("createRoutingRule", **rule, catchall=False) == clash
    assert wire.ok("createRoutingRule", **(rule | {"prefix": False})) == {}
    assert isinstance(wire.ok("listRoutingRules")["rules"][0]["id"], int)


def test_a_domain_needs_its_ownership_record_first(wire, purelymail):
    _code, message = wire.refused("addDomain", domainName="new.example")
    assert "DNS ownership checks did not pass" in message
    purelymail.state.publish_ownership("new.example")
    wire.ok("addDomain", domainName="new.example")
    assert wire.refused("addDomain", domainName="new.example")[1] == "Domain already exists"


def test_a_recheck_is_seen_only_through_the_list_of_domains(wire, purelymail):
    purelymail.state.publish_dns("example.com", mx=True)
    spf = lambda: wire.ok("listDomains")["domains"][0]["dnsSummary"]["passesSpf"]  # noqa: E731
    assert spf()
    assert wire.ok("updateDomainSettings", name="example.com", recheckDns=True) == {}
    assert not spf()


def test_the_wrong_name_for_a_domain_is_refused(wire):
    assert wire.refused("deleteDomain", domainName="example.com")[1] == "Missing field: name"


def test_deleting_a_domain_takes_its_users_and_rules(wire, purelymail):
    purelymail.state.add_domain("other.example")
    purelymail.state.add_user("bob@other.example")
    purelymail.state.add_rule("example.com", "shop", ALICE)
    purelymail.state.add_rule("other.example", "shop", ALICE)
    wire.ok("deleteDomain", name="example.com")
    assert wire.ok("listUser")["users"] == ["bob@other.example"]
    assert [one["domainName"] for one in wire.ok("listRoutingRules")["rules"]] == ["other.example"]


def test_deleting_a_user_leaves_the_rules_that_point_at_it(wire, purelymail):
    purelymail.state.add_rule("example.com", "shop", ALICE)
    wire.ok("deleteUser", userName=ALICE)
    assert wire.refused("deleteUser", userName=ALICE) == ("unknownUser", "Unknown user")
    assert len(wire.ok("listRoutingRules")["rules"]) == 1


def test_without_a_target_all_recovery_methods_go(wire):
    for target in ("a@example.net", "b@example.net"):
        wire.ok("upsertPasswordReset", userName=ALICE, type="email", target=target)
    assert len(wire.ok("listPasswordReset", userName=ALICE)["users"]) == 2
    wire.ok("deletePasswordReset", userName=ALICE)
    assert wire.ok("listPasswordReset", userName=ALICE)["users"] == []


def test_with_two_factors_only_app_passwords_open_a_mailbox(wire, purelymail):
    secret = wire.ok("createAppPassword", userHandle=ALICE)["appPassword"]
    assert len(secret) == 20
    wire.ok("modifyUser", userName=ALICE, requireTwoFactorAuthentication=True)
    assert not purelymail.state.verify_password(ALICE, "first")
    assert purelymail.state.verify_password(ALICE, secret)
    assert not purelymail.state.verify_password("nobody@example.com", secret)


def test_faults_are_switched_on_and_off_over_http(wire):
    fault = {"operation": "listUser", "kind": "http_500", "times": 2}
    assert wire.control("POST", "faults", fault)[0]["times"] == 2
    assert wire.raw("listUser").status_code == 500
    assert wire.control("GET", "faults")[0]["times"] == 1
    assert wire.control("DELETE", "faults") == []
    assert wire.raw("listUser").status_code == 200
    assert wire.control("GET", "calls") == {"listUser": 2}


def test_a_fault_may_strike_every_operation_for_ever(wire):
    wire.control("POST", "faults", {"operation": "*", "kind": "rate_limit", "times": None})
    for operation in ("listUser", "listDomains", "listUser"):
        response = wire.raw(operation)
        assert (response.status_code, response.headers["Retry-After"]) == (429, "1")


@pytest.mark.parametrize(
    "values", [{"operation": "*", "kind": "earthquake"}, {"kind": "html"}, {"no": 1}, [], "x"]
)
def test_a_fault_that_does_not_exist_is_refused(wire, values):
    assert wire.control("POST", "faults", values) == 400
    assert wire.control("GET", "faults") == []


def test_passwords_are_verified_over_http(wire):
    assert wire.control("POST", "verify", {"address": ALICE, "password": "first"}) == {
        "valid": True
    }
    assert wire.control("POST", "verify", {"address": ALICE, "password": "x"}) == {"valid": False}


def test_dns_and_credit_are_set_over_http(wire):
    wire.control("POST", "dns", {"domain": "new.example", "ownership": True, "mx": True})
    wire.control("POST", "credit", {"credit": "1.99"})
    wire.ok("addDomain", domainName="new.example")
    summary = wire.ok("listDomains")["domains"][1]["dnsSummary"]
    assert (summary["passesMx"], summary["passesSpf"]) == (True, False)
    assert wire.ok("checkAccountCredit") == {"credit": "1.99"}


def test_the_state_is_told_without_passwords(wire):
    user = wire.control("GET", "state")["users"][ALICE]
    assert "password" not in user
    assert user["app_passwords"] == 0


def test_reset_begins_anew(wire):
    wire.control("POST", "faults", {"operation": "*", "kind": "html", "times": None})
    assert wire.control("POST", "reset", {}) == {}
    assert wire.ok("listUser") == {"users": []}
    assert wire.control("GET", "calls") == {"listUser": 1}


def test_controls_are_not_for_web_pages(wire):
    assert wire.control("GET", "state", Host="evil.example") == 403
    assert wire.control("GET", "state", Origin="http://evil.example") == 403
    assert wire.control("GET", "nothing") == 404


def test_the_demo_account_is_as_described():
    account = demo_account()
    assert (len(account.domains), len(account.users), len(account.rules)) == (3, 40, 12)
    assert account.credit == CREDIT
    assert len({repr(domain.seen) for domain in account.domains.values()}) == 3
    kinds = {
        (bool(rule.match_user), rule.is_prefix, rule.is_catchall) for rule in account.rules.values()
    }
    assert kinds == {
        (True, False, False),
        (True, True, False),
        (False, True, False),
        (False, True, True),
    }
    assert len({rule.key for rule in account.rules.values()}) == 12
    for rule in account.rules.values():
        assert set(rule.targets) <= set(account.users)
    assert account.verify_password("desk@lindenhof.example", DEMO_PASSWORD)


def test_the_state_file_keeps_what_was_done(tmp_path):
    path = tmp_path / "state.json"
    first = Service(token="t", new_account=demo_account, state_file=path)
    first.perform("createUser", CREATE, "t")
    first.perform("createAppPassword", b'{"userHandle": "bob@lindenhof.example"}', "t")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    second = Service(token="t", new_account=Account, state_file=path)
    assert second.account == first.account
    assert second.account.verify_password("bob@lindenhof.example", "s3cret-s3cret")
    assert "s3cret-s3cret" not in path.read_text()
    assert [one.name for one in tmp_path.iterdir()] == ["state.json"]


CREATE = json.dumps(
    {"userName": "bob", "domainName": "lindenhof.example", "password": "s3cret-s3cret"}
).encode()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"domains": 1}', '{"users": {}}'])
def test_a_state_file_of_something_else_is_left_alone(tmp_path, content):
    path = tmp_path / "state.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="does not hold a simulated account"):
        storage.load(path)
    assert path.read_text() == content


def test_stopping_hangs_up_on_waiting_clients_and_frees_the_port():
    server = SimulatorServer(Service(token="test-token"))
    server.start()
    wire = Wire(server)
    with requests.Session() as session:
        session.post(f"{server.url}/api/v0/listUser", json={}, timeout=10)
        server.stop()
    with pytest.raises(requests.ConnectionError):
        wire.raw("listUser")
    again = SimulatorServer(Service(token="test-token"), port=server.server_port)
    again.server_close()
