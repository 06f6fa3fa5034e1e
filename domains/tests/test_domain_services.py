"""Adding a domain and changing its settings: what PurelyMail did, the panel says."""

from __future__ import annotations

import pytest

from audit.actions import Action
from audit.models import Entry, Outcome
from domains import services
from domains.models import Domain, Kind, PurelyMailAccount, RecordState, SyncState
from domains.testing import CODE
from domains.tests.factories import DomainFactory
from purelymanage.core.errors import MissingError, PurelyManageError, RefusedError, UnavailableError

pytestmark = pytest.mark.django_db
NAME = "new.example"
FAULTS = [
    "timeout_before",
    "timeout_after",
    "drop_before",
    "drop_after",
    "http_500",
    "html",
    "truncated",
    "invalid_token",
    "rate_limit",
]


@pytest.fixture(autouse=True)
def _patience(purelymail):
    purelymail.give_up_after(0.3)


@pytest.fixture
def code():
    PurelyMailAccount.objects.create(ownership_code=CODE)


def last_outcome(action):
    return Entry.objects.filter(action=action).latest("pk").outcome.result


def test_an_added_domain_says_what_purelymail_says_and_is_watched_from_the_start(purelymail):
    purelymail.state.publish_ownership(NAME)
    domain = services.add_domain(name=NAME)
    assert domain.allow_account_reset, "PurelyMail turns it on for new domains"
    assert domain.symbolic_subaddressing
    assert (domain.failing_count, domain.checked_at) == (4, None)
    assert domain.recheck_wanted_at
    assert SyncState.objects.get(pk=Kind.DOMAINS).changed_at
    assert last_outcome(Action.DOMAIN_ADDED) == Outcome.Result.OK
    assert services.refresh_domains().changed == 0


def test_without_the_record_purelymail_refuses_and_nothing_is_left_behind(purelymail):
    with pytest.raises(RefusedError, match=r"does not see the ownership record at new\.example"):
        services.add_domain(name=NAME)
    assert not Domain.objects.exists()
    assert last_outcome(Action.DOMAIN_ADDED) == Outcome.Result.REFUSED


def test_a_domain_added_outside_the_panel_is_fetched(purelymail):
    purelymail.state.add_domain(NAME)
    with pytest.raises(RefusedError, match="outside this panel"):
        services.add_domain(name=NAME)
    assert SyncState.objects.get(pk=Kind.DOMAINS).requested_at


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mine.example", "managed here already"),
        ("shared.example", "belongs to PurelyMail"),
        ("purelymail.com", "belongs to PurelyMail"),
    ],
)
def test_what_is_here_or_purelymails_is_not_even_looked_for(purelymail, dns, code, name, words):
    DomainFactory(name="mine.example")
    DomainFactory(name="shared.example", is_shared=True)
    with pytest.raises(RefusedError, match=words) as refused:
        services.look_for_ownership(name=name)
    assert refused.value.field == "name"
    with pytest.raises(RefusedError, match=words):
        services.add_domain(name=name)
    assert not dns.queries
    assert not purelymail.calls


def test_the_record_is_looked_for_in_live_dns(dns, code):
    dns.register(NAME)
    assert services.look_for_ownership(name=NAME).state == RecordState.MISSING
    dns.set(NAME, "TXT", "v=spf1 -all", CODE)
    assert services.look_for_ownership(name=NAME).state == RecordState.OK
    dns.fail(NAME, "TXT", "servfail")
    assert services.look_for_ownership(name=NAME).state == RecordState.NO_ANSWER


def test_without_the_code_there_is_nothing_to_look_for(dns):
    with pytest.raises(RefusedError, match="ownership code is not known"):
        services.look_for_ownership(name=NAME)
    assert not dns.queries


@pytest.mark.parametrize("kind", FAULTS)
def test_whatever_happens_while_adding_the_panel_tells_the_truth(purelymail, kind):
    purelymail.state.publish_ownership(NAME)
    purelymail.fault("addDomain", kind, seconds=0.6)
    try:
        services.add_domain(name=NAME)
        has_failed = False
    except PurelyManageError:
        has_failed = True
    is_there = NAME in purelymail.state.domains
    assert has_failed is not is_there
    assert Domain.objects.filter(name=NAME).exists() is is_there
    assert purelymail.calls["addDomain"] <= 2, "never sent again blindly"
    assert (last_outcome(Action.DOMAIN_ADDED) == Outcome.Result.OK) is is_there


@pytest.mark.parametrize("kind", ["http_500", "invalid_token"])
def test_added_and_then_no_answer_keeps_the_domain_with_purelymails_defaults(purelymail, kind):
    purelymail.state.publish_ownership(NAME)
    purelymail.fault("listDomains", kind, times=None)
    domain = services.add_domain(name=NAME)
    assert domain.allow_account_reset
    assert not domain.is_shared


@pytest.fixture
def domain(purelymail):
    purelymail.state.add_domain(NAME)
    services.refresh_domains()
    return Domain.objects.get()


def test_a_setting_is_changed_and_read_back(purelymail, domain):
    services.change_settings(domain=domain, allow_account_reset=False)
    assert purelymail.state.domains[NAME].allow_account_reset is False
    assert purelymail.state.domains[NAME].symbolic_subaddressing is True
    domain.refresh_from_db()
    assert (domain.allow_account_reset, domain.symbolic_subaddressing) == (False, True)
    entry = Entry.objects.get(action=Action.DOMAIN_CHANGED)
    assert (entry.before, entry.after) == (
        {"allow_account_reset": True},
        {"allow_account_reset": False},
    )


@pytest.mark.parametrize("kind", FAULTS)
def test_whatever_happens_to_a_setting_the_row_says_what_purelymail_holds(purelymail, domain, kind):
    purelymail.fault("updateDomainSettings", kind, seconds=0.6)
    try:
        services.change_settings(domain=domain, symbolic_subaddressing=False)
        has_failed = False
    except PurelyManageError:
        has_failed = True
    there = purelymail.state.domains[NAME].symbolic_subaddressing
    domain.refresh_from_db()
    assert domain.symbolic_subaddressing is there
    assert has_failed is there


def test_a_yes_that_changed_nothing_is_told(purelymail, domain, monkeypatch):
    client = purelymail.client
    monkeypatch.setattr(type(client), "update_domain_settings", lambda self, **fields: None)
    with pytest.raises(RefusedError, match="still shows the old setting"):
        services.change_settings(domain=domain, symbolic_subaddressing=False)
    domain.refresh_from_db()
    assert domain.symbolic_subaddressing is True


def test_settings_of_a_domain_that_is_gone_and_of_a_shared_one(purelymail, domain):
    del purelymail.state.domains[NAME]
    with pytest.raises((RefusedError, MissingError)):
        services.change_settings(domain=domain, symbolic_subaddressing=False)
    shared = DomainFactory(name="xn--bcher-kva.example", is_shared=True)
    with pytest.raises(RefusedError, match="bücher"):
        services.change_settings(domain=shared, symbolic_subaddressing=False)


def test_purelymail_down_changes_nothing(purelymail, domain):
    purelymail.down()
    with pytest.raises(UnavailableError):
        services.change_settings(domain=domain, symbolic_subaddressing=False)
    domain.refresh_from_db()
    assert domain.symbolic_subaddressing is True
