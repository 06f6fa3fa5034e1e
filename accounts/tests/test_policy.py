"""A second factor for everybody: from when, and what happens to whoever has none."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.factors.policy import due_at, is_last_demanded
from accounts.models import SecurityPolicy, User
from accounts.tests.factors import give_app, give_codes, give_passkey
from audit.actions import Action
from audit.models import Entry

pytestmark = pytest.mark.django_db

SWITCH = "/settings/security/policy/"
SECURITY = "/settings/security/"
BANNER = "Set up a second factor."


def demand(*, days: float) -> None:
    """As if an owner had switched it on so that it counts in `days`."""
    due = timezone.now() + timedelta(days=days)
    SecurityPolicy.objects.update_or_create(pk=1, defaults={"second_factor_from": due})


def joined_long_ago(*people: User) -> None:
    long_ago = timezone.now() - timedelta(days=365)
    User.objects.filter(pk__in=[person.pk for person in people]).update(joined_at=long_ago)


def test_an_owner_demands_it_after_a_grace_period_and_no_longer(owner_client, owner):
    give_app(owner)
    before = timezone.now()
    answer = owner_client.post(SWITCH, {"demand": "on"})
    assert (answer.status_code, answer["Location"]) == (302, SECURITY)
    due = SecurityPolicy.objects.get().second_factor_from
    assert timedelta(days=7) <= due - before < timedelta(days=7, minutes=1)
    assert Entry.objects.newest_first()[0].action == Action.FACTOR_DEMANDED
    owner_client.post(SWITCH, {})
    assert SecurityPolicy.objects.get().second_factor_from is None
    assert Entry.objects.newest_first()[0].action == Action.FACTOR_LEFT_OPEN


def test_switched_on_twice_the_grace_does_not_begin_anew(owner_client, owner):
    give_app(owner)
    demand(days=2)
    due = SecurityPolicy.objects.get().second_factor_from
    owner_client.post(SWITCH, {"demand": "on"})
    assert SecurityPolicy.objects.get().second_factor_from == due
    assert not Entry.objects.filter(action=Action.FACTOR_DEMANDED).exists()


def test_an_owner_without_a_factor_cannot_demand_one(owner_client, owner):
    give_codes(owner)
    owner_client.post(SWITCH, {"demand": "on"})
    assert not SecurityPolicy.objects.exists()
    entry = Entry.objects.newest_first()[0]
    assert (entry.action, entry.outcome.result) == (Action.FACTOR_DEMANDED, "refused")
    assert "Set up a second factor of your own first" in owner_client.get("/").content.decode()


def test_only_owners_demand_it(admin_client, viewer_client, admin, viewer):
    for client, person in ((admin_client, admin), (viewer_client, viewer)):
        give_app(person)
        assert client.post(SWITCH, {"demand": "on"}).status_code == 403
    assert not SecurityPolicy.objects.exists()


def test_nobody_hears_of_it_while_nothing_is_demanded(admin_client):
    assert BANNER not in admin_client.get("/").content.decode()


def test_during_the_grace_every_page_says_until_when(admin_client, admin):
    joined_long_ago(admin)
    demand(days=3)
    for path in ("/", "/settings/", "/mailboxes/"):
        page = admin_client.get(path)
        assert page.status_code == 200
        assert BANNER in page.content.decode()
        assert f'href="{SECURITY}"' in page.content.decode()


def test_afterwards_every_page_leads_to_the_set_up_by_get_and_post(admin_client, admin):
    joined_long_ago(admin)
    demand(days=-1)
    for path in ("/", "/settings/", "/mailboxes/new/", "/accounts/password/change/", "/admin/"):
        for method in ("get", "post"):
            answer = getattr(admin_client, method)(path)
            assert (answer.status_code, answer["Location"]) == (302, SECURITY), (method, path)
    admin_client.post("/settings/", {"name": "Changed"})
    admin.refresh_from_db()
    assert admin.name == "Adam"


def test_htmx_is_led_there_with_the_whole_page(admin_client, admin):
    joined_long_ago(admin)
    demand(days=-1)
    answer = admin_client.get("/mailboxes/", headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == SECURITY


def test_the_way_to_a_factor_stays_open(admin_client, admin):
    joined_long_ago(admin)
    demand(days=-1)
    page = admin_client.get(SECURITY)
    assert page.status_code == 200
    assert "no other page opens" in page.content.decode()
    assert admin_client.get(reverse("mfa_activate_totp")).status_code == 200
    assert admin_client.get(reverse("mfa_add_webauthn")).status_code == 200
    assert admin_client.get(reverse("account_reauthenticate")).status_code == 200
    assert admin_client.get("/nothing/at/all/").status_code == 404
    assert admin_client.post(reverse("account_logout"))["Location"] == "/accounts/login/"


def test_an_overdue_owner_cannot_switch_it_off(owner_client, owner):
    joined_long_ago(owner)
    demand(days=-1)
    assert owner_client.post(SWITCH, {})["Location"] == SECURITY
    assert SecurityPolicy.objects.get().second_factor_from is not None


@pytest.mark.parametrize("give", [give_app, give_passkey])
def test_an_app_or_a_passkey_is_a_factor(admin_client, admin, give):
    joined_long_ago(admin)
    demand(days=-1)
    give(admin)
    page = admin_client.get("/")
    assert page.status_code == 200
    assert BANNER not in page.content.decode()


def test_recovery_codes_alone_are_none(admin_client, admin):
    joined_long_ago(admin)
    demand(days=-1)
    give_codes(admin)
    assert admin_client.get("/")["Location"] == SECURITY


def test_zero_days_of_grace_count_at_once(owner_client, owner, admin_client, settings):
    settings.SECOND_FACTOR_GRACE_DAYS = 0
    give_app(owner)
    owner_client.post(SWITCH, {"demand": "on"})
    assert admin_client.get("/")["Location"] == SECURITY


def test_whoever_joins_later_has_the_grace_from_then(admin_client, admin):
    demand(days=-30)
    User.objects.filter(pk=admin.pk).update(joined_at=timezone.now() - timedelta(days=6))
    assert BANNER in admin_client.get("/").content.decode()
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)):
        late = Client()
        late.force_login(admin)
        assert late.get("/")["Location"] == SECURITY


def test_while_it_is_demanded_the_last_factor_stays(admin):
    app = give_app(admin)
    give_passkey(admin)
    give_codes(admin)
    demand(days=3)
    assert get_adapter().can_delete_authenticator(app)
    Authenticator.objects.filter(type=Authenticator.Type.WEBAUTHN).delete()
    assert not get_adapter().can_delete_authenticator(app)
    assert is_last_demanded(app)
    SecurityPolicy.objects.update(second_factor_from=None)
    assert get_adapter().can_delete_authenticator(app)


def queries_of(client: Client, path: str) -> list[str]:
    client.get(path)
    with CaptureQueriesContext(connection) as caught:
        client.get(path)
    return [query["sql"] for query in caught]


def test_it_costs_no_query_on_any_page(admin, settings):
    """The same page with allauth's own backend and without the middleware, and with ours."""
    client = Client()
    client.force_login(admin)
    ours = queries_of(client, "/settings/about/")
    demand(days=3)
    during = queries_of(client, "/settings/about/")
    settings.AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "SecondFactor" not in name]
    plain = Client()
    plain.force_login(admin)
    without = queries_of(plain, "/settings/about/")
    assert len(ours) == len(during) == len(without)


def test_a_person_loaded_in_another_way_is_asked_nothing(admin):
    demand(days=-1)
    assert due_at(User.objects.get(pk=admin.pk)) is None


def test_owners_see_who_has_a_factor_and_nobody_else(owner_client, viewer_client, viewer):
    give_app(viewer)
    page = owner_client.get("/settings/people/").content.decode()
    assert "Second factor" in page
    assert page.count("#shield-check") + page.count("Yes") >= 1
    assert "Second factor" not in viewer_client.get("/settings/people/").content.decode()
