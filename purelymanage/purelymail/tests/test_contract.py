"""Client and simulator against PurelyMail's own description of its API, where it is at hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from django.conf import settings

from purelymanage.purelymail.simulator.operations import OPERATIONS

DESCRIPTION = settings.BASE_DIR.parent / "shared/purelymail/openapi.json"
ADDRESS = "alice@example.com"

pytestmark = pytest.mark.skipif(
    not DESCRIPTION.exists(), reason=f"PurelyMail's description of its API is not at {DESCRIPTION}"
)

# Every operation, first with as little and then with as much as the client can send.
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("check_account_credit", {}),
    ("get_ownership_code", {}),
    ("list_domains", {}),
    ("list_domains", {"include_shared": True}),
    ("add_domain", {"name": "new.example"}),
    ("update_domain_settings", {"name": "example.com"}),
    (
        "update_domain_settings",
        {
            "name": "example.com",
            "allow_account_reset": False,
            "symbolic_subaddressing": False,
            "recheck_dns": True,
        },
    ),
    ("list_users", {}),
    ("get_user", {"address": ADDRESS}),
    ("create_user", {"local_part": "bob", "domain": "example.com", "password": "secret"}),
    (
        "create_user",
        {
            "local_part": "carol",
            "domain": "example.com",
            "password": "secret",
            "enable_password_reset": True,
            "recovery_email": "carol@example.net",
            "recovery_email_description": "private",
            "recovery_phone": "+49 30 5550142",
            "recovery_phone_description": "mobile",
            "enable_search_indexing": False,
            "send_welcome_email": True,
        },
    ),
    ("modify_user", {"address": ADDRESS}),
    (
        "modify_user",
        {
            "address": "carol@example.com",
            "new_address": "caroline@example.com",
            "new_password": "secret",
            "enable_search_indexing": True,
            "enable_password_reset": False,
            "require_two_factor": True,
        },
    ),
    ("upsert_recovery_method", {"address": ADDRESS, "type": "email", "target": "a@example.net"}),
    (
        "upsert_recovery_method",
        {
            "address": ADDRESS,
            "type": "phone",
            "target": "+49 30 5550143",
            "existing_target": "a@example.net",
            "description": "mobile",
            "allow_mfa_reset": False,
        },
    ),
    ("list_recovery_methods", {"address": ADDRESS}),
    ("get_user", {"address": ADDRESS}),
    ("delete_recovery_method", {"address": ADDRESS, "target": "+49 30 5550143"}),
    (
        "create_routing_rule",
        {
            "domain": "example.com",
            "match_user": "shop",
            "is_prefix": False,
            "is_catchall": False,
            "targets": [ADDRESS, "x@example.net"],
        },
    ),
    ("list_routing_rules", {}),
    ("delete_routing_rule", {"rule_id": 123_000}),
    ("create_app_password", {"address": ADDRESS}),
    ("create_app_password", {"address": ADDRESS, "name": "phone"}),
    ("delete_user", {"address": "bob@example.com"}),
    ("delete_domain", {"name": "new.example"}),
]


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    return json.loads(DESCRIPTION.read_text())


@pytest.fixture
def exchanges(purelymail, monkeypatch) -> list[tuple[requests.PreparedRequest, Any]]:
    """All calls made once: what went over the wire, and what came back."""
    seen = []
    send = requests.Session.send

    def recorded(session, request, **options):
        response = send(session, request, **options)
        seen.append((request, response.json()))
        return response

    monkeypatch.setattr(requests.Session, "send", recorded)
    purelymail.state.add_domain("example.com")
    purelymail.state.add_user(ADDRESS)
    purelymail.state.publish_ownership("new.example")
    for method, arguments in CALLS:
        getattr(purelymail.client, method)(**arguments)
    secret = purelymail.client.create_app_password(address=ADDRESS)
    purelymail.client.delete_app_password(address=ADDRESS, app_password=secret)
    return seen


def operation_of(request: requests.PreparedRequest) -> str:
    return request.path_url.removeprefix("/api/v0/")


def request_schema(description: dict[str, Any], operation: str) -> dict[str, Any]:
    body = description["paths"][f"/api/v0/{operation}"]["post"]["requestBody"]
    return resolve(description, body)["content"]["application/json"]["schema"]


def result_schema(description: dict[str, Any], operation: str) -> dict[str, Any]:
    answer = description["paths"][f"/api/v0/{operation}"]["post"]["responses"]["200"]
    return answer["content"]["application/json"]["schema"]["properties"]["result"]


def resolve(description: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        target: Any = description
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        schema = target
    return schema


def flaws(
    description: dict[str, Any], schema: dict[str, Any], value: Any, *, complete: bool, at: str
) -> list[str]:
    """Where `value` departs from `schema`; `complete` wants the optional properties, too."""
    schema = resolve(description, schema)
    kind, properties = schema["type"], schema.get("properties", {})
    if at.endswith(".type") and not properties:
        return [] if isinstance(value, str) else [f"{at}: not a string"]  # the schema is empty here
    python = {"string": str, "boolean": bool, "number": int, "array": list, "object": dict}[kind]
    if not isinstance(value, python) or (kind == "number" and isinstance(value, bool)):
        return [f"{at}: {value!r} is no {kind}"]
    if kind == "array":
        return [
            flaw
            for index, item in enumerate(value)
            for flaw in flaws(
                description, schema["items"], item, complete=complete, at=f"{at}[{index}]"
            )
        ]
    if kind != "object":
        return []
    wanted = set(properties) if complete else set(schema.get("required", []))
    found = [f"{at}: {name} is missing" for name in wanted - set(value)]
    found += [f"{at}: {name} is unknown" for name in set(value) - set(properties)]
    for name in set(value) & set(properties):
        inner = f"{at}.{name}"
        found += flaws(description, properties[name], value[name], complete=complete, at=inner)
    return found


def test_the_simulator_has_exactly_the_operations_of_the_description(description):
    assert {f"/api/v0/{operation}" for operation in OPERATIONS} == set(description["paths"])


def test_the_client_calls_every_operation_as_a_post_to_its_path(description, exchanges):
    called = {(request.method, request.path_url) for request, _ in exchanges}
    assert called == {
        (method.upper(), path)
        for path, methods in description["paths"].items()
        for method in methods
    }


def test_requests_name_the_token_as_the_description_does(description, exchanges):
    scheme = description["components"]["securitySchemes"]["token"]
    assert scheme["in"] == "header"
    for request, _ in exchanges:
        assert request.headers[scheme["name"]] == "test-token"
        assert request.headers["Content-Type"] == "application/json"
        assert "Authorization" not in request.headers


def test_requests_have_every_required_field_and_no_unknown_one(description, exchanges):
    found = []
    for request, _ in exchanges:
        operation = operation_of(request)
        schema = request_schema(description, operation)
        body = json.loads(request.body)
        found += flaws(description, schema, body, complete=False, at=operation)
    assert found == []


def test_the_client_can_send_every_field_of_the_description(description, exchanges):
    sent: dict[str, set[str]] = {}
    for request, _ in exchanges:
        sent.setdefault(operation_of(request), set()).update(json.loads(request.body))
    for operation, names in sent.items():
        schema = resolve(description, request_schema(description, operation))
        assert names == set(schema["properties"]), operation


def test_the_simulator_answers_in_exactly_the_described_shape(description, exchanges):
    found = []
    for request, answer in exchanges:
        operation = operation_of(request)
        assert answer.keys() == {"type", "result"}, (operation, answer)
        assert answer["type"] == "success", (operation, answer)
        schema = result_schema(description, operation)
        found += flaws(description, schema, answer["result"], complete=True, at=operation)
    assert found == []


@pytest.mark.parametrize(
    ("value", "flaw"),
    [
        ({"users": [1]}, "at.users[0]: 1 is no string"),
        ({}, "at: users is missing"),
        ({"users": [], "more": 1}, "at: more is unknown"),
    ],
)
def test_the_checker_finds_departures(description, value, flaw):
    schema = {"$ref": "#/components/schemas/ListUserResponse"}
    assert flaws(description, schema, value, complete=True, at="at") == [flaw]
