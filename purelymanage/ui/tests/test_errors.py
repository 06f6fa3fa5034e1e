"""Error pages: what happened, and one way on."""

import pytest
from django.template.loader import get_template
from django.test import Client
from django.urls import include, path

from purelymanage.core.errors import RefusedError
from purelymanage.core.permissions import admin_required, owner_required


def refuse(request):
    raise RefusedError("lindenhof.example is already managed here. Open it instead.")


def crash(request):
    raise ValueError("a secret of the inside")


@owner_required
def guarded(request):
    raise AssertionError("not for viewers")


@admin_required
def kept(request):
    raise AssertionError("not for viewers")


urlpatterns = [
    path("kept/", kept),
    path("refuse/", refuse),
    path("crash/", crash),
    path("guarded/", guarded),
    path("", include("purelymanage.urls")),
]


@pytest.fixture(autouse=True)
def _urls(settings):
    settings.ROOT_URLCONF = __name__


def test_an_unknown_address_keeps_the_frame_for_those_signed_in(client, viewer_client):
    seen = viewer_client.get("/nowhere/")
    assert seen.status_code == 404
    assert b"There is nothing at this address" in seen.content
    assert b'id="sidebar"' in seen.content
    outside = client.get("/nowhere/")
    assert outside.status_code == 404
    assert b'id="sidebar"' not in outside.content


def test_a_role_too_low_is_told_whom_to_ask(viewer_client):
    for address, whom in (("/guarded/", b"for owners"), ("/kept/", b"for admins and owners")):
        response = viewer_client.get(address)
        assert response.status_code == 403
        assert b"This is " + whom in response.content
        assert b'href="/settings/people/"' in response.content
        assert b'id="sidebar"' in response.content


def test_an_error_of_ours_is_shown_with_its_sentence(viewer_client):
    response = viewer_client.get("/refuse/")
    assert response.status_code == 409
    assert b"already managed here. Open it instead." in response.content


def test_an_error_of_ours_is_a_toast_for_htmx(viewer_client):
    response = viewer_client.get("/refuse/", headers={"HX-Request": "true"})
    assert response.status_code == 409
    assert "already managed here" in response["HX-Trigger"]


def test_a_crash_tells_nothing_of_the_inside(viewer_client):
    viewer_client.raise_request_exception = False
    response = viewer_client.get("/crash/")
    assert response.status_code == 500
    assert b"Something broke on our side" in response.content
    assert b"secret" not in response.content


def test_a_form_without_our_token_is_explained(owner):
    client = Client(enforce_csrf_checks=True)
    response = client.post("/accounts/login/", {"login": "x"})
    assert response.status_code == 403
    assert b"This form has expired" in response.content


def test_a_wrong_host_name_is_explained(client, db):
    response = client.get("/", headers={"Host": "elsewhere.example"})
    assert response.status_code == 400
    assert b"ALLOWED_HOSTS" in response.content


@pytest.mark.parametrize("name", ["400.html", "500.html"])
def test_pages_of_last_resort_need_no_context(name):
    html = get_template(name).render()
    assert "<h1>" in html
    assert 'href="/"' in html


@pytest.mark.parametrize("name", ["404.html", "403.html", "403_csrf.html", "410.html", "429.html"])
def test_every_error_page_has_one_heading_and_one_way_on(name, rf):
    html = get_template(name).render({"sentence": "Wait."}, request=rf.get("/x/"))
    main = html[html.index("<main") : html.index("</main>")]
    assert main.count("<h1>") == 1
    assert main.count("btn-primary") == 1
