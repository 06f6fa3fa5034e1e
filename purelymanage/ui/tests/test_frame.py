"""The frame around every page: navigation, scheme, keys, demo banner, toasts, palette."""

import json

import pytest
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.messages.storage.session import SessionStorage
from django.http import HttpResponse
from django.urls import reverse
from django_htmx.middleware import HtmxMiddleware

from purelymanage.core.http import go_to
from purelymanage.core.roles import Role
from purelymanage.ui import navigation
from purelymanage.ui.middleware import ToastMiddleware

PAGE = "/styleguide/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def registry(monkeypatch):
    """A navigation nobody has registered anything in."""
    for name in ("_counters", "_places", "_searches"):
        monkeypatch.setattr(navigation, name, {})
    return navigation


def test_a_visitor_is_sent_to_sign_in(client, owner):
    response = client.get(PAGE)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


def test_the_frame_names_the_person_and_marks_the_place(viewer_client):
    navigation_html = viewer_client.get("/mailboxes/nowhere/at/all/").content.decode()
    assert 'href="/mailboxes/" aria-current="page"' in navigation_html
    assert navigation_html.count('aria-current="page"') == 1
    assert "Vera" in navigation_html
    assert "Viewer" in navigation_html
    assert 'action="/accounts/logout/"' in navigation_html


def test_the_dashboard_is_current_only_on_itself(registry):
    links = {str(link["place"].label): link["is_current"] for link in navigation.sidebar("/")}
    assert [name for name, is_current in links.items() if is_current] == ["Dashboard"]


def test_a_count_stands_beside_its_link(viewer_client, registry):
    people = get_user_model().objects
    registry.register_count("migrations", people.all, tone="info", words=lambda _: "running")
    registry.register_count("domains", people.filter(pk=0).all, words=lambda _: "never said")
    html = viewer_client.get("/palette/").content.decode()
    number = people.count()
    assert f'<span class="count info" title="{number} running">{number}' in html
    assert html.count(f'title="{number} running"') == 1
    assert "never said" not in html


def test_counts_cost_one_query_and_none_for_visitors_and_fragments(
    client, viewer_client, registry, django_assert_num_queries
):
    asked = []
    for key in ("migrations", "deletions"):
        registry.register_count(key, get_user_model().objects.all, words=asked.append)
    client.get("/nowhere/")
    viewer_client.get(reverse("ui:palette"), headers=HTMX)
    assert asked == []
    viewer_client.get(PAGE)
    assert asked == [get_user_model().objects.count()] * 2
    with django_assert_num_queries(1):
        registry.sidebar("/")


def test_the_demo_says_so_on_every_page(client, viewer_client, settings):
    settings.DEMO = True
    inside = viewer_client.get(PAGE).content.decode()
    outside = client.get("/nowhere/").content.decode()
    assert "Demo mode." in inside
    assert "Demo mode." in outside
    assert "Connect PurelyMail" in inside
    assert "Connect PurelyMail" not in outside
    settings.DEMO = False
    assert "Accounts, DNS and mail" not in client.get("/nowhere/").content.decode()


def test_the_scheme_is_kept_in_a_cookie(viewer_client):
    assert b'<html lang="en">' in viewer_client.get(PAGE).content
    response = viewer_client.post("/theme/", {"theme": "dark", "next": "/mailboxes/?q=x"})
    assert response.status_code == 303
    assert response["Location"] == "/mailboxes/?q=x"
    cookie = response.cookies["theme"]
    assert (cookie.value, cookie["samesite"], cookie["httponly"]) == ("dark", "Lax", True)
    assert b'<html lang="en" data-theme="dark">' in viewer_client.get(PAGE).content


def test_the_scheme_can_follow_the_system_again(viewer_client):
    viewer_client.post("/theme/", {"theme": "dark"})
    viewer_client.post("/theme/", {"theme": "system"})
    assert b'<html lang="en">' in viewer_client.get(PAGE).content


def test_a_forged_scheme_is_ignored(viewer_client):
    viewer_client.cookies["theme"] = '"><script>'
    assert b'<html lang="en">' in viewer_client.get(PAGE).content


def test_the_way_back_is_one_line_of_ascii(viewer_client):
    back = viewer_client.post("/theme/", {"theme": "dark", "next": "/x/?q=ü\r\nSet-Cookie: a=b"})
    assert back["Location"] == "/x/?q=%C3%BC%0D%0ASet-Cookie:%20a=b"


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_the_way_back_stays_on_this_site(viewer_client, url):
    assert viewer_client.post("/theme/", {"theme": "dark", "next": url})["Location"] == "/"


def test_script_changes_the_scheme_without_another_page(viewer_client):
    response = viewer_client.post("/theme/", {"theme": "light"}, headers=HTMX)
    assert response.status_code == 204
    assert response.cookies["theme"].value == "light"


def test_single_keys_can_be_turned_off_and_on(viewer_client):
    viewer_client.post("/keys/", {})
    assert b"data-keys-off" in viewer_client.get(PAGE).content
    viewer_client.post("/keys/", {"keys": "on"})
    assert b"data-keys-off" not in viewer_client.get(PAGE).content


def test_scheme_and_keys_are_chosen_in_the_settings(viewer_client):
    viewer_client.cookies["theme"] = "light"
    html = viewer_client.get("/settings/").content.decode()
    assert 'data-theme-choice="light" aria-pressed="true"' in html
    assert 'data-theme-choice="system" aria-pressed="false"' in html
    assert 'role="switch"' in html


def test_the_palette_finds_pages_and_actions(viewer_client, admin_client, registry):
    registry.register_page(
        "New migration", "plus", "/migrations/new/", role=Role.ADMIN, action=True
    )
    html = admin_client.get("/palette/?q=MIG", headers=HTMX).content.decode()
    assert '<span><mark>Mig</mark>rations</span><span class="end">Page</span>' in html
    assert '<span>New <mark>mig</mark>ration</span><span class="end">Action</span>' in html
    assert html.index('href="/migrations/"') < html.index('href="/migrations/new/"')
    assert 'href="/migrations/new/"' not in viewer_client.get("/palette/?q=mig").content.decode()


def test_the_palette_asks_what_the_apps_registered(viewer_client, registry):
    found = [(f"lea{number}@x.example", f"/mailboxes/{number}/", "Mailbox") for number in range(9)]
    registry.register_search("mailbox", "mail", lambda query: found, group="Mailboxes")
    html = viewer_client.get("/palette/?q=lea", headers=HTMX).content.decode()
    assert '<h3 id="found-mailbox" role="presentation">Mailboxes</h3>' in html
    assert html.count('role="option"') == 5
    assert "<html" not in html
    assert 'href="/mailboxes/0/"' not in viewer_client.get("/palette/").content.decode()


def test_the_palette_says_when_nothing_is_found(viewer_client, registry):
    html = viewer_client.get("/palette/?q=%3Cb%3Ezzz", headers=HTMX).content.decode()
    assert "Nothing found for “&lt;b&gt;zzz”" in html
    assert 'href="/mailboxes/?q=%3Cb%3Ezzz"' in html


def test_the_palette_is_a_page_without_script(viewer_client, registry):
    html = viewer_client.get("/palette/?q=mail").content.decode()
    assert "<html" in html
    found = html[html.index('<div class="palette panel">') : html.index("</main>")]
    assert 'href="/mailboxes/"' in found
    assert 'role="option"' not in found


def test_fragments_and_pages_are_not_mixed_up_in_caches(viewer_client):
    for headers in ({}, HTMX):
        vary = viewer_client.get("/palette/?q=x", headers=headers)["Vary"]
        assert {"HX-Request", "HX-Boosted", "HX-History-Restore-Request"} <= {
            name.strip() for name in vary.split(",")
        }
    restored = viewer_client.get("/palette/", headers=HTMX | {"HX-History-Restore-Request": "true"})
    assert b"<html" in restored.content


@pytest.fixture
def answer(rf):
    """What the browser gets for a view that leaves a message, through the middleware."""

    def ask(view, **headers):
        request = rf.get("/", headers=headers)
        request.session = {}
        stack = HtmxMiddleware(MessageMiddleware(ToastMiddleware(view)))
        return stack(request), request

    return ask


def succeed(request):
    messages.success(request, "lindenhof.example: geprüft")
    messages.error(request, "Nothing else.")
    return HttpResponse("<tbody></tbody>")


def test_messages_become_toasts_in_answers_to_htmx(answer):
    response, request = answer(succeed, **HTMX)
    assert json.loads(response["HX-Trigger"])["toasts"]["toasts"] == [
        {"tone": "ok", "text": "lindenhof.example: geprüft"},
        {"tone": "bad", "text": "Nothing else."},
    ]
    assert SessionStorage.session_key not in request.session


def test_messages_wait_for_the_page_that_comes_next(answer):
    def leave(request):
        messages.success(request, "Added.")
        return go_to(request, "/domains/")

    response, request = answer(leave, **HTMX)
    assert "HX-Trigger" not in response
    assert "Added." in request.session[SessionStorage.session_key]


def test_whole_pages_keep_their_messages(answer):
    for headers in ({}, HTMX | {"HX-Boosted": "true"}):
        response, request = answer(succeed, **headers)
        assert "HX-Trigger" not in response
        assert "lindenhof" in request.session[SessionStorage.session_key]


def test_a_page_shows_messages_as_banners(viewer_client, rf):
    session = viewer_client.session
    request = rf.get("/")
    request.session = session
    storage = SessionStorage(request)
    storage.add(messages.WARNING, "Credit is low.")
    storage.update(HttpResponse())
    session.save()
    html = viewer_client.get("/nowhere/").content.decode()
    assert '<div class="banner warn" role="status">' in html
    assert "Credit is low." in html
    assert "Credit is low." not in viewer_client.get("/nowhere/").content.decode()
