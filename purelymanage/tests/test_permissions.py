"""Every address, asked for by everybody who could: the answers are those of the table.

`permissions/matrix.txt` is the table. Each request meets real rows, and a form is sent with what
it takes to succeed, so that a refusal is a refusal of the person and not of the request.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.admin import site as admin_site
from django.urls import reverse
from django.utils import timezone

from accounts.models import SecurityPolicy, User
from purelymanage.core.roles import Role
from purelymanage.tests.audited import walk
from purelymanage.tests.audited.places import path_of
from purelymanage.tests.audited.tables import Line
from purelymanage.tests.audited.world import World, tables_written
from purelymanage.tests.permissions.probe import Browsers, Sent, acted_out, ask, scenario, undone
from purelymanage.tests.permissions.table import ROLES, matrix

SESSIONS = {"accounts_session"}
AUDIT = {"audit_entry", "audit_outcome", "audit_chain"}
REFUSALS = {"sign-in", "no", "method"}
UNUSUAL = ("HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE")
WITHOUT_SCENARIO = {
    "accounts:setup": "There are people, so there is nothing to set up.",
}
"""Addresses whose lines of `audited/posts/` need a world of another kind."""
OPEN_WITHOUT_FACTOR = {
    "dashboard:healthz",
    "dashboard:readyz",
    "account_logout",
    "account_reauthenticate",
    "mfa_index",
    "mfa_authenticate",
    "mfa_reauthenticate",
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_login_webauthn",
    "mfa_add_webauthn",
    "mfa_reauthenticate_webauthn",
    "mfa_edit_webauthn",
    "mfa_remove_webauthn",
}
"""What somebody without a factor needs to set one up, to sign out, and what probes ask."""


def lines() -> list[Line]:
    """The scenarios that a role decides about."""
    return [line for line in acted_out() if line.name not in WITHOUT_SCENARIO]


@pytest.mark.once
def test_every_address_has_its_row_and_every_row_its_address():
    kinds = {walk.kind_of(name) for name, _route, _item in walk.addresses()}
    missing, gone = kinds - matrix().keys(), matrix().keys() - kinds
    assert not missing, f"{sorted(missing)}: add a row to purelymanage/tests/permissions/matrix.txt"
    assert not gone, f"{sorted(gone)}: no address has this name any more; take its row out"


@pytest.mark.once
def test_what_the_table_says_is_done_has_a_scenario_that_does_it():
    done = {row.name for row in matrix().values() if "does" in row.post.values()}
    assert done <= {line.name for line in lines()}


@pytest.mark.once
def test_the_decorators_say_what_the_table_says():
    """The role that a view asks for is the first one that the table does not refuse."""
    for name, _route, item in walk.addresses():
        if role := getattr(item.callback, "required_role", None):
            refused = [one for one in ROLES if matrix()[name].get[one] in ("sign-in", "no")]
            assert list(ROLES[: ROLES.index(role)]) == refused, name


@pytest.mark.once
def test_only_those_who_may_change_things_are_let_do_so():
    """The table itself, against SPEC: viewers change what is their own, strangers nothing."""
    own = {name for name, row in matrix().items() if row.post["viewer"] == "does"}
    open_to_all = {name for name, row in matrix().items() if row.post["stranger"] == "does"}
    assert own == {
        "accounts:invitation",
        "accounts:sessions_end",
        "accounts:settings",
        "account_change_password",
        "account_logout",
        "account_reset_password",
        "ui:theme",
        "ui:keys",
        "ui:password_strength",
    }
    assert open_to_all == {
        "accounts:invitation",
        "account_login",
        "account_reset_password",
        "ui:password_strength",
    }


def plain(world: World) -> Iterator[tuple[str, Sent]]:
    """Every address, with the row it takes; nothing is sent along."""
    for name, _route, item in walk.addresses():
        path = path_of(name, item, world)
        if not leads_to_an_empty_table(name):
            yield walk.kind_of(name), Sent(path)


def leads_to_an_empty_table(name: str) -> bool:
    """Whether it is a page of Django's admin about one row, and the world has none of these."""
    return any(
        name in (f"{table}_change", f"{table}_history") and not model.objects.exists()
        for model in admin_site._registry
        for table in [f"admin:{model._meta.app_label}_{model._meta.model_name}"]
    )


def once_each(requests: Iterator[tuple[str, Sent]]) -> Iterator[tuple[str, Sent]]:
    """One table of Django's admin stands for all."""
    yield from dict(reversed(list(requests))).items()


def differs(kind: str, who: str, method: str, sent: Sent, *, found: str, expected: str) -> str:
    said = f"{sent.line} " if sent.line else ""
    return f"{method} {sent.path} ({kind}) {said}as {who}: {found}, not {expected}"


@pytest.fixture
def browsers(world) -> Browsers:
    return Browsers(world)


@pytest.mark.once
@pytest.mark.django_db
def test_what_each_role_gets_to_see(world, browsers):
    requests = list(plain(world))
    browsers.sign_in(*ROLES)
    wrong = []
    for kind, sent in requests:
        for role in ROLES:
            with undone(world):
                found = ask(browsers(role), "GET", sent)
            expected = matrix()[kind].expected("GET", role)
            if found != expected:
                wrong.append(differs(kind, role, "GET", sent, found=found, expected=expected))
    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_what_each_role_may_do(world, browsers, role):
    wrong = []
    for line in lines():
        with undone(world):
            sent = scenario(line, world)
            browsers.sign_in(role)
            calls = dict(world.purelymail.calls)
            with tables_written() as tables:
                found = ask(browsers(role), "POST", sent)
            expected = matrix()[line.name].expected("POST", role)
            if found != expected:
                wrong.append(differs(line.name, role, "POST", sent, found=found, expected=expected))
            if expected in REFUSALS and (
                tables - SESSIONS or dict(world.purelymail.calls) != calls
            ):
                wrong.append(f"{line} is refused to {role} and yet changes {tables - SESSIONS}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.once
@pytest.mark.django_db
def test_what_no_scenario_sends_is_answered_as_well(world, browsers):
    """Posting to pages that are only looked at, and to every table of Django's admin."""
    with_scenario = {line.name for line in lines()}
    requests = [(kind, sent) for kind, sent in plain(world) if kind not in with_scenario]
    browsers.sign_in(*ROLES)
    wrong = []
    for kind, sent in requests:
        for role in ROLES:
            with undone(world), tables_written() as tables:
                found = ask(browsers(role), "POST", sent)
            expected = matrix()[kind].expected("POST", role)
            if found != expected:
                wrong.append(differs(kind, role, "POST", sent, found=found, expected=expected))
            if tables - SESSIONS - AUDIT:
                wrong.append(f"POST {sent.path} as {role} writes to {tables - SESSIONS}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.once
@pytest.mark.django_db
def test_who_signed_in_long_ago_shows_again_who_they_are(world, browsers):
    wrong = []

    def check(kind: str, method: str, sent: Sent) -> None:
        with undone(world):
            found = ask(browsers("owner", is_stale=True), method, sent)
        expected = matrix()[kind].when_stale(method)
        if found != expected:
            wrong.append(differs(kind, "stale owner", method, sent, found=found, expected=expected))

    for line in lines():
        with undone(world):
            sent = scenario(line, world)
            browsers.sign_in("owner", is_stale=True)
            check(line.name, "POST", sent)
    with_scenario = {line.name for line in lines()}
    pages = list(once_each(plain(world)))
    browsers.sign_in("owner", is_stale=True)
    for kind, sent in pages:
        check(kind, "GET", sent)
        if kind not in with_scenario:
            check(kind, "POST", sent)
    assert not wrong, "\n".join(wrong)


@pytest.mark.once
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("facts", "as_if"),
    [({"is_active": False}, "stranger"), ({"role": Role.VIEWER}, "viewer")],
    ids=["removed", "made a viewer"],
)
def test_a_session_goes_by_what_its_person_is_now(world, browsers, facts, as_if):
    """Even where the session itself was left behind: it was begun as an owner's."""
    requests = list(once_each(plain(world)))
    browsers.sign_in("owner")
    User.objects.filter(pk=world.people["owner"].pk).update(**facts)
    wrong = []
    for kind, sent in requests:
        for method in ("GET", "POST"):
            with undone(world):
                found = ask(browsers("owner"), method, sent)
            expected = matrix()[kind].expected(method, as_if)
            if found != expected and {found, expected} & REFUSALS and kind != "account_logout":
                wrong.append(differs(kind, as_if, method, sent, found=found, expected=expected))
    assert not wrong, "\n".join(wrong)


@pytest.mark.once
@pytest.mark.django_db
def test_whoever_let_the_deadline_for_a_second_factor_pass_gets_to_nothing_else(world, browsers):
    """By GET and by POST, whatever the role allows."""
    requests = list(once_each(plain(world)))
    browsers.sign_in("owner")
    long_ago = timezone.now() - timedelta(days=60)
    User.objects.update(joined_at=long_ago)
    SecurityPolicy.objects.create(pk=1, second_factor_from=long_ago)
    wrong = []
    for kind, sent in requests:
        if kind in OPEN_WITHOUT_FACTOR:
            continue
        for method in ("GET", "POST"):
            with undone(world), tables_written() as tables:
                response = getattr(browsers("owner"), method.lower())(sent.path)
            if response.headers.get("Location") != reverse("mfa_index") or tables - SESSIONS:
                wrong.append(f"{method} {sent.path}: {response.status_code}, writes to {tables}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.once
@pytest.mark.django_db
def test_other_methods_open_no_other_door(world, browsers):
    """405, or what GET and POST are answered; a refusal stays one, and nothing is written."""
    requests = list(once_each(plain(world)))
    browsers.sign_in(*ROLES)
    wrong = []
    for kind, sent in requests:
        for role in ("stranger", "owner"):
            usual = {matrix()[kind].get[role], matrix()[kind].post[role], "method"}
            if not usual <= REFUSALS:
                usual |= {"page", "file", "away"}
            with undone(world), tables_written() as tables:
                found = {method: ask(browsers(role), method, sent) for method in UNUSUAL}
            for method in UNUSUAL:
                if found[method] not in usual:
                    expected = " or ".join(sorted(usual))
                    told = differs(kind, role, method, sent, found=found[method], expected=expected)
                    wrong.append(told)
            if tables - SESSIONS - AUDIT:
                wrong.append(f"{sent.path} as {role} writes to {tables - SESSIONS}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.once
@pytest.mark.django_db
def test_nothing_is_taken_without_the_token_of_the_form(world, browsers):
    wrong = []
    for line in lines():
        with undone(world):
            sent = scenario(line, world)
            role = "stranger" if line.by == "stranger" else "owner"
            browsers.sign_in(role)
            with tables_written() as tables:
                found = ask(browsers(role, enforce_csrf_checks=True), "POST", sent)
        if found != "no" or tables - SESSIONS:
            wrong.append(f"{line} without a token: {found}, {tables}")
    assert not wrong, "\n".join(wrong)
