"""Who may open what, decided on the server."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django_htmx.middleware import HtmxDetails

from purelymanage.core.permissions import admin_required, owner_required, viewer_required
from purelymanage.core.roles import Role, has_role

DECORATORS = {
    Role.VIEWER: viewer_required,
    Role.ADMIN: admin_required,
    Role.OWNER: owner_required,
}
ALLOWED = {
    Role.VIEWER: {Role.VIEWER},
    Role.ADMIN: {Role.VIEWER, Role.ADMIN},
    Role.OWNER: {Role.VIEWER, Role.ADMIN, Role.OWNER},
}


def person(role: Role, *, is_active: bool = True) -> SimpleNamespace:
    return SimpleNamespace(role=role, is_active=is_active, is_authenticated=True)


def ask(user, decorator):
    request = RequestFactory().get("/somewhere/?page=2")
    request.user = user
    request.htmx = HtmxDetails(request)
    return decorator(lambda request: HttpResponse("in"))(request)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("needed", Role)
def test_each_role_opens_its_own_doors_and_those_below(role, needed):
    user = person(role)
    assert has_role(user, needed) is (needed in ALLOWED[role])
    if needed in ALLOWED[role]:
        assert ask(user, DECORATORS[needed]).content == b"in"
    else:
        with pytest.raises(PermissionDenied):
            ask(user, DECORATORS[needed])


@pytest.mark.parametrize("needed", Role)
def test_the_removed_open_nothing(needed):
    with pytest.raises(PermissionDenied):
        ask(person(Role.OWNER, is_active=False), DECORATORS[needed])


@pytest.mark.parametrize("needed", Role)
def test_strangers_are_sent_to_sign_in_and_back(needed):
    response = ask(AnonymousUser(), DECORATORS[needed])
    assert response["Location"] == "/accounts/login/?next=/somewhere/%3Fpage%3D2"


@pytest.mark.django_db
def test_a_poll_after_the_session_ended_leads_the_whole_page_to_sign_in(owner):
    response = Client().get(
        "/settings/about/",
        headers={
            "hx-request": "true",
            "hx-current-url": "http://testserver/migrations/7/?tab=log",
        },
    )
    assert response.status_code == 200
    assert response["HX-Redirect"] == "/accounts/login/?next=/migrations/7/%3Ftab%3Dlog"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("http://testserver/settings/people/7/?x=1", "/settings/people/7/%3Fx%3D1"),
        ("https://evil.example/settings/", "/"),
        ("http://testserver//evil.example/", "//evil.example/"),
        ("", "/"),
    ],
)
def test_a_form_sent_after_the_session_ended_leads_back_to_the_form(owner, referer, back):
    response = Client().post("/settings/people/7/remove/", headers={"referer": referer})
    assert response["Location"] == f"/accounts/login/?next={back}"


@pytest.mark.django_db
def test_htmx_on_another_site_is_not_led_back_there(owner):
    response = Client().get(
        "/settings/about/",
        headers={"hx-request": "true", "hx-current-url": "https://evil.example/x"},
    )
    assert response["HX-Redirect"] == "/accounts/login/?next=/"


@pytest.mark.django_db
def test_a_viewer_is_told_why_not(viewer_client):
    response = viewer_client.get("/settings/people/new/")
    assert response.status_code == 403
    assert "Your role does not reach this far" in response.content.decode()
