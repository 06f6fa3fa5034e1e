"""Settings and recovery methods of one mailbox: read on demand, changed, and read back."""

from __future__ import annotations

import pytest

from audit.actions import Action
from audit.models import Entry
from mailboxes.tests.pages import HTMX, LEA, page

pytestmark = pytest.mark.django_db

PRIVATE = "lea@private.example"
SWITCHES = ("require_two_factor", "enable_password_reset", "enable_search_indexing")


@pytest.fixture
def url(mailbox):
    return f"/mailboxes/{mailbox.pk}/"


@pytest.fixture
def recoverable(user):
    user.add_method("email", PRIVATE, "private")
    return user


def turn(client, url, setting, *, on, **more):
    form = {"setting": setting, "value": "on" if on else ""} | more
    return client.post(f"{url}settings/change/", form)


def is_ticked(html, attribute):
    (tag,) = [text for text in html.split("<input") if attribute in text.partition(">")[0]]
    return "checked" in tag.partition(">")[0].replace('type="checkbox"', "")


def save(client, url, **form):
    path = "edit" if "existing_target" in form else "new"
    return client.post(f"{url}recovery/{path}/", {"type": "email"} | form)


# Reading


def test_settings_are_read_only_when_asked_for(admin_client, purelymail, recoverable, url):
    before = page(admin_client.get(url))
    assert "Read settings" in before
    assert PRIVATE not in before
    assert not purelymail.calls
    response = admin_client.post(f"{url}settings/")
    html = page(response)
    assert purelymail.calls == {"getUser": 1}
    assert "<html" in html
    assert "Read from PurelyMail just now" in html
    assert PRIVATE in html
    assert all(f'id="id_{name}"' in html for name in SWITCHES)
    assert "no-store" in response.headers["Cache-Control"]
    assert PRIVATE not in page(admin_client.get(url))


def test_htmx_gets_the_live_part_in_place(admin_client, url):
    response = admin_client.post(f"{url}settings/", headers=HTMX)
    assert "<html" not in page(response)
    assert page(response).strip().startswith('<div class="stack" id="live">')
    assert response.headers["HX-Retarget"] == "#live"


def test_a_switch_moved_without_purelymail_says_that_nothing_was_changed(
    admin_client, purelymail, url
):
    purelymail.down()
    moved = {"setting": "enable_search_indexing", "value": ""}
    response = admin_client.post(f"{url}settings/change/", moved)
    assert response.status_code == 422
    assert "Try again in a few minutes. Nothing was changed." in page(response)


def test_without_purelymail_the_page_says_so_and_offers_to_read_again(
    admin_client, purelymail, url
):
    purelymail.down()
    response = admin_client.post(f"{url}settings/")
    assert response.status_code == 422
    assert "Try again in a few minutes" in page(response)
    assert "Read settings" in page(response)


def test_viewers_see_no_live_data_and_no_action(viewer_client, purelymail, url):
    html = page(viewer_client.get(url))
    assert "Read settings" not in html
    assert "App passwords" not in html
    assert 'method="post"' not in html.partition("<main")[2].partition("</main>")[0]
    for path in (
        "settings/",
        "settings/change/",
        "recovery/new/",
        "recovery/edit/",
        "recovery/remove/",
        "app-passwords/new/",
        "app-passwords/revoke/",
        "rename/",
        "delete/",
    ):
        assert viewer_client.post(url + path).status_code == 403
    assert not purelymail.calls


# Switches


@pytest.mark.parametrize(
    ("setting", "attribute"),
    [
        ("require_two_factor", "require_two_factor"),
        ("enable_password_reset", "recovery_enabled"),
        ("enable_search_indexing", "enable_search_indexing"),
    ],
)
def test_a_switch_acts_at_once_and_shows_what_was_read_back(
    admin_client, purelymail, recoverable, url, setting, attribute
):
    for wanted in (False, True, False):
        was = getattr(recoverable, attribute)
        html = page(turn(admin_client, url, setting, on=wanted))
        assert getattr(recoverable, attribute) is wanted
        assert is_ticked(html, f'id="id_{setting}"') is wanted
        entries = Entry.objects.filter(action=Action.MAILBOX_CHANGED, target=LEA)
        if was is not wanted:
            entry = entries.latest("pk")
            assert (entry.before, entry.after) == ({setting: was}, {setting: wanted})


def test_what_is_so_already_is_not_sent(admin_client, purelymail, url):
    assert turn(admin_client, url, "enable_search_indexing", on=True).status_code == 200
    assert purelymail.calls == {"getUser": 1}
    assert not Entry.objects.exists()


def test_a_second_factor_without_a_recovery_method_is_asked_about_first(
    admin_client, purelymail, user, url
):
    response = turn(admin_client, url, "require_two_factor", on=True)
    assert response.status_code == 422
    assert "locked out for good" in page(response)
    assert "app password" in page(response)
    assert not user.require_two_factor
    assert not purelymail.calls["modifyUser"]
    turn(admin_client, url, "require_two_factor", on=True, accepts_lockout="1")
    assert user.require_two_factor


def test_password_reset_that_purelymail_does_not_turn_on_is_shown_off_with_the_cure(
    admin_client, purelymail, user, url
):
    purelymail.state.reset_needs_password = True
    response = turn(admin_client, url, "enable_password_reset", on=True)
    html = page(response)
    assert response.status_code == 422
    assert "resetting the password is as before" in html
    assert f'href="{url}password/?allow=1"' in html
    assert not is_ticked(html, 'id="id_enable_password_reset"')
    form = page(admin_client.get(f"{url}password/?allow=1"))
    assert is_ticked(form, 'name="enable_password_reset"')
    cured = admin_client.post(
        f"{url}password/", {"password": "h7@Kd2mQv%9s", "enable_password_reset": "on"}
    )
    assert "may reset the password from now on" in page(cured)
    assert user.recovery_enabled


def test_a_reset_without_the_tick_leaves_the_setting_as_it_is(admin_client, user, url):
    user.recovery_enabled = True
    admin_client.post(f"{url}password/", {"password": "h7@Kd2mQv%9s"})
    assert user.recovery_enabled


@pytest.mark.parametrize("setting", ["", "enable_spam_filtering", "accepts_lockout", "mailbox"])
def test_only_the_three_switches_can_be_changed(admin_client, purelymail, url, setting):
    assert turn(admin_client, url, setting, on=True).status_code == 422
    assert not purelymail.calls


# Recovery methods


def test_a_recovery_method_is_added_changed_and_removed_by_its_target(
    admin_client, purelymail, recoverable, url
):
    html = page(
        save(admin_client, url, type="phone", target="+49 (170) 123-4567", description="mobile")
    )
    assert "+491701234567" in html
    assert [m.target for m in recoverable.methods] == [PRIVATE, "+491701234567"]
    assert not recoverable.methods[1].allow_mfa_reset, "a tick that was not set"
    save(
        admin_client,
        url,
        target="Lea@Other.example",
        existing_target=PRIVATE,
        allow_mfa_reset="on",
    )
    assert [m.target for m in recoverable.methods] == ["lea@other.example", "+491701234567"]
    assert recoverable.methods[0].allow_mfa_reset
    remove = {"target": "+491701234567"}
    question = page(admin_client.post(f"{url}recovery/remove/", remove))
    assert "Remove +491701234567?" in question
    assert len(recoverable.methods) == 2
    html = page(admin_client.post(f"{url}recovery/remove/", remove | {"confirmed": "1"}))
    assert [m.target for m in recoverable.methods] == ["lea@other.example"]
    assert "lea@other.example" in html
    changed = Entry.objects.filter(action=Action.RECOVERY_SAVED).order_by("-pk").first()
    assert changed.before["target"] == PRIVATE
    assert changed.after["target"] == "lea@other.example"
    assert Entry.objects.get(action=Action.RECOVERY_REMOVED).before["target"] == "+491701234567"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"target": ""}, "This field is required."),
        ({"target": "no address"}, "This is not an e-mail address"),
        ({"target": "x" * 250 + "@a.example"}, "at most 254 characters"),
        ({"target": LEA.upper()}, "Choose another address"),
        ({"target": PRIVATE.upper()}, "is a recovery method of"),
        ({"target": "+49 170 1234567"}, "This is not an e-mail address"),
        ({"type": "phone", "target": "0170 1234567"}, "with its country code"),
        ({"type": "phone", "target": "+4917012345678901"}, "with its country code"),
        ({"type": "phone", "target": PRIVATE}, "with its country code"),
        ({"type": "fax", "target": "+491701234567"}, "Select a valid choice"),
        ({"target": "a@b.example", "description": "x" * 101}, "at most 100 characters"),
        ({"target": "a@b.example", "description": "a\u202eb"}, "Remove the line break"),
        ({"target": "a@b.example", "existing_target": "gone@b.example"}, "no recovery method any"),
    ],
)
def test_an_unusable_recovery_method_is_refused_in_words_and_stays_typed(
    admin_client, purelymail, recoverable, url, form, words
):
    response = save(admin_client, url, **form)
    assert response.status_code == 422
    assert words in page(response)
    assert not purelymail.calls["upsertPasswordReset"]
    assert [m.target for m in recoverable.methods] == [PRIVATE]


def test_the_number_of_another_method_is_known_however_it_is_written(
    admin_client, user, purelymail, url
):
    user.add_method("phone", "+49 170 1234567")
    assert save(admin_client, url, type="phone", target="+491701234567").status_code == 422
    assert not purelymail.calls["upsertPasswordReset"]


def test_an_odd_target_that_purelymail_has_can_keep_it(admin_client, user, url):
    user.add_method("phone", "0170-1")
    form = {"type": "phone", "target": "0170-1", "existing_target": "0170-1"}
    assert save(admin_client, url, **form, description="old").status_code == 200
    assert (user.methods[0].target, user.methods[0].description) == ("0170-1", "old")


def test_the_form_opens_with_what_the_page_knows_and_without_a_call(
    admin_client, purelymail, recoverable, url
):
    form = {"open": "1", "existing_target": PRIVATE, "type": "email", "target": PRIVATE}
    response = admin_client.post(f"{url}recovery/edit/", form, headers=HTMX)
    assert response.status_code == 200
    assert page(response).count(f'value="{PRIVATE}"') == 2
    assert not purelymail.calls


def test_the_form_as_a_page_of_its_own_swaps_nothing_that_is_not_there(admin_client, mailbox, url):
    assert "hx-post" in page(admin_client.get(f"{url}recovery/new/", headers=HTMX))
    assert 'hx-target="#recovery-form"' not in page(admin_client.get(f"{url}recovery/new/"))


def test_a_method_that_is_gone_cannot_be_removed(admin_client, purelymail, recoverable, url):
    for target in ("", "gone@b.example"):
        form = {"target": target, "confirmed": "1"}
        response = admin_client.post(f"{url}recovery/remove/", form)
        assert response.status_code == 422
        assert "no recovery method any more" in page(response)
    assert not purelymail.calls["deletePasswordReset"]
    assert len(recoverable.methods) == 1
