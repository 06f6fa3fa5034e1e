"""Whoever may not delete, and whatever was not meant: refused with a sentence, and nothing done."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from audit.actions import Action
from audit.models import Entry
from domains.models import Domain
from mailboxes.models import Mailbox
from purelymanage.deletions.models import DELAY, DeletionKind, DeletionState, PendingDeletion
from purelymanage.tests.audited.world import DOMAIN, LEA, World
from routing.models import RoutingRule

pytestmark = pytest.mark.django_db
KINDS = ("mailboxes", "domains", "routing")
MODELS = {"mailboxes": Mailbox, "domains": Domain, "routing": RoutingRule}
TYPED = {"domains": {"typed": DOMAIN}}
PLAIN, HTMX = {}, {"HX-Request": "true", "HX-Current-URL": "http://testserver/deletions/"}
FORGED = ("0", "4711", "9223372036854775807", "9223372036854775808", "9" * 40, "-1", "lea", "1e3")
NOT_ALLOWED = "Your role does not reach this far"
EXPIRED = "This form has expired"
NOTHING = "Nothing was changed"


@pytest.fixture
def world(purelymail, dns, owner, admin, viewer):
    cache.clear()
    return World(purelymail, dns, {"owner": owner, "admin": admin, "viewer": viewer})


def page(response):
    return response.content.decode()


def row(world, kind):
    return {"mailboxes": world.mailbox, "domains": world.domain, "routing": world.rule}[kind]


def question(world, kind):
    """Where the question before a deletion stands."""
    return reverse(f"{kind}:delete", args=[row(world, kind).pk])


def confirm(world, kind, /, *, by="admin", headers=PLAIN, **data):
    return world.client(by).post(question(world, kind), TYPED.get(kind, {}) | data, headers=headers)


def scheduled():
    return list(PendingDeletion.objects.order_by("pk"))


def changing(world):
    """Each address that changes something about deletions, and what to send to it."""
    pk, freeze = world.deletion.pk, world.freeze.pk
    return {
        reverse("deletions:cancel", args=[pk]): {},
        reverse("deletions:cancel_selected"): {"selected": [pk], "everything": ""},
        reverse("deletions:freeze", args=[world.people["admin"].pk]): {},
        reverse("deletions:freeze_undo", args=[freeze]): {},
    }


# Who may


@pytest.mark.parametrize("headers", [PLAIN, HTMX], ids=["plain", "htmx"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_viewer_schedules_nothing(world, kind, headers):
    assert world.client("viewer").get(question(world, kind)).status_code == 403
    response = confirm(world, kind, by="viewer", headers=headers)
    assert response.status_code == 403
    assert NOT_ALLOWED in page(response)
    assert not scheduled()


@pytest.mark.parametrize("headers", [PLAIN, HTMX], ids=["plain", "htmx"])
def test_a_viewer_cancels_nothing_and_freezes_nobody(world, headers):
    client = world.client("viewer")
    for path, data in changing(world).items():
        before = [deletion.state for deletion in scheduled()]
        response = client.post(path, data, headers=headers)
        assert (response.status_code, NOT_ALLOWED in page(response)) == (403, True), path
        assert [deletion.state for deletion in scheduled()] == before, path


def test_an_admin_freezes_nobody_and_undoes_no_freeze(world):
    undo = reverse("deletions:freeze_undo", args=[world.freeze.pk])
    for path in (reverse("deletions:freeze", args=[world.people["viewer"].pk]), undo):
        response = world.client("admin").post(path)
        assert (response.status_code, NOT_ALLOWED in page(response)) == (403, True), path
    assert not Entry.objects.filter(action=Action.PERSON_UNFROZEN).exists()
    assert Entry.objects.filter(action=Action.PERSON_FROZEN).count() == 1


def test_a_stranger_is_sent_to_the_sign_in_page(world):
    targets = {question(world, kind): TYPED.get(kind, {}) for kind in KINDS} | changing(world)
    count = len(scheduled())
    for path, data in targets.items():
        response = world.client("stranger").post(path, data)
        assert response.status_code == 302, path
        assert response["Location"].startswith("/accounts/login/?next="), path
    assert len(scheduled()) == count


def test_whoever_was_removed_meanwhile_deletes_nothing(world):
    client = world.client("admin")
    path = question(world, "mailboxes")
    world.post("accounts:person_remove", world.people["admin"].pk, by="owner")
    assert client.post(path).status_code == 302
    assert not scheduled()


# What was meant


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_number_leads_nowhere(world, forged):
    world.deletion  # noqa: B018  one is there, so that it could be hit
    client = world.client("owner")
    paths = [f"/{kind}/{forged}/delete/" for kind in KINDS]
    paths += [
        f"/deletions/{forged}/cancel/",
        f"/deletions/{forged}/",
        f"/deletions/{forged}/recreate/",
    ]
    paths += [f"/deletions/freeze/{forged}/", f"/deletions/freeze/{forged}/undo/"]
    for path in paths:
        assert client.get(path).status_code in (404, 405), path
        assert client.post(path, {"typed": DOMAIN}).status_code in (404, 405), path
    assert [deletion.state for deletion in scheduled()] == [DeletionState.PENDING]


@pytest.mark.parametrize("forged", [*FORGED, "", "²", "\uff11\uff12", "\0"])
def test_forged_ticks_cancel_nothing_and_say_so(world, forged):
    world.deletion  # noqa: B018
    response = world.post("deletions:cancel_selected", selected=[forged])
    assert response.status_code == 422
    assert NOTHING in page(response)
    assert [deletion.state for deletion in scheduled()] == [DeletionState.PENDING]


def test_the_server_decides_what_is_deleted_and_when(world):
    """A form that claims another key, date or person changes nothing about either."""
    forged = {
        "kind": "domain",
        "key": DOMAIN,
        "label": "harmless",
        "due_at": "2000-01-01",
        "state": "executed",
        "identity": "1",
        "requested_by": world.people["owner"].pk,
    }
    confirm(world, "mailboxes", **forged)
    [deletion] = scheduled()
    assert (deletion.kind, deletion.key, deletion.label) == (DeletionKind.MAILBOX, LEA, LEA)
    assert deletion.due_at - deletion.requested_at == DELAY == timedelta(hours=24)
    assert deletion.state == DeletionState.PENDING
    assert deletion.requested_by == world.people["admin"]


@pytest.mark.parametrize("headers", [PLAIN, HTMX], ids=["plain", "htmx"])
@pytest.mark.parametrize(
    "typed",
    ["", " ", "lindenhof", f"www.{DOMAIN}", f"{DOMAIN}.evil.example", LEA, "*", "\0", "x" * 300],
)
def test_a_domain_stays_unless_its_own_name_is_typed(world, typed, headers):
    response = confirm(world, "domains", typed=typed, headers=headers)
    assert response.status_code == 422
    assert not scheduled()


@pytest.mark.parametrize("kind", KINDS)
def test_opening_the_question_schedules_nothing(world, kind):
    client = world.client("admin")
    for method in ("get", "head", "put", "patch", "delete", "options"):
        response = getattr(client, method)(question(world, kind))
        assert response.status_code == (200 if method == "get" else 405), method
    assert not scheduled()


def test_what_changes_takes_only_a_post(world):
    client = world.client("owner")
    paths = changing(world)
    del paths[reverse("deletions:freeze", args=[world.people["admin"].pk])]  # GET asks there
    before = [(deletion.state, deletion.due_at) for deletion in scheduled()]
    for path in paths:
        for method in ("get", "head", "put", "patch", "delete"):
            assert getattr(client, method)(path).status_code == 405, (method, path)
    assert [(deletion.state, deletion.due_at) for deletion in scheduled()] == before


# Twice, too late, and from elsewhere


@pytest.mark.parametrize("kind", KINDS)
def test_a_form_sent_twice_schedules_once_and_says_so(world, kind):
    assert confirm(world, kind).status_code == 302
    again = confirm(world, kind)
    assert again.status_code == 422
    assert "Adam asked for it" in page(again)
    assert len(scheduled()) == 1
    results = Entry.objects.filter(action=Action.DELETION_SCHEDULED).order_by("pk")
    assert [entry.outcome.result for entry in results] == ["ok", "refused"]


def test_cancelling_twice_says_who_did_it(world):
    world.post("deletions:cancel", world.deletion.pk)
    for headers in (PLAIN, HTMX):
        path = reverse("deletions:cancel", args=[world.deletion.pk])
        again = world.client("owner").post(path, headers=headers)
        assert again.status_code == 409
        assert "Adam has kept" in page(again) + again.headers.get("HX-Trigger", "")
    assert [deletion.ended_by_name for deletion in scheduled()] == ["Adam"]


def test_undoing_a_freeze_twice_is_refused(world):
    assert world.post("deletions:freeze_undo", world.freeze.pk, by="owner").status_code == 302
    again = world.post("deletions:freeze_undo", world.freeze.pk, by="owner")
    assert 400 <= again.status_code < 500
    assert len(scheduled()) == 1


@pytest.mark.parametrize(("kind", "model"), MODELS.items())
def test_what_is_gone_meanwhile_is_told(world, kind, model):
    path = question(world, kind)
    model.objects.all().delete()
    response = world.client("admin").post(path, TYPED.get(kind, {}))
    assert response.status_code == 404
    assert not scheduled()


def about(response):
    """What the page asks about, as its form sends it back."""
    return {"about": re.search(r'name="about" value="([^"]*)"', page(response))[1]}


def test_a_mailbox_renamed_since_the_question_is_asked_about_again(world):
    client, path = world.client("admin"), question(world, "mailboxes")
    opened = about(client.get(path))
    world.post("mailboxes:rename", world.mailbox.pk, local_part="lea.neu", domain=DOMAIN)
    stale = client.post(path, opened)
    assert stale.status_code == 422
    assert "since you opened this page" in page(stale)
    assert f"Delete the mailbox lea.neu@{DOMAIN}?" in page(stale)
    assert not scheduled()
    assert client.post(path, about(stale)).status_code == 302, "the answer asks about what is now"
    assert [deletion.key for deletion in scheduled()] == [f"lea.neu@{DOMAIN}"]


def test_a_rule_edited_since_the_question_is_asked_about_again(world):
    client, path = world.client("admin"), question(world, "routing")
    opened = about(client.get(path))
    other = {"kind": "exact", "match": "office", "domain": DOMAIN, "targets": LEA}
    assert world.post("routing:edit", world.rule.pk, **other).status_code == 302
    stale = client.post(path, opened)
    assert stale.status_code == 422
    assert "since you opened this page" in page(stale)
    assert not scheduled()


@pytest.mark.parametrize("headers", [PLAIN, HTMX], ids=["plain", "htmx"])
def test_a_post_from_another_site_is_refused(world, headers):
    targets = {question(world, kind): TYPED.get(kind, {}) for kind in KINDS} | changing(world)
    before = [deletion.state for deletion in scheduled()]
    for role in ("admin", "owner"):
        client = world.client(role, enforce_csrf_checks=True)
        for path, data in targets.items():
            response = client.post(
                path, data, headers={"Origin": "https://evil.example", **headers}
            )
            assert response.status_code == 403, path
            if headers is PLAIN:
                assert EXPIRED in page(response), path
            else:
                assert response["HX-Reswap"] == "none", path
    assert [deletion.state for deletion in scheduled()] == before


def test_a_post_of_our_own_form_is_taken(world):
    """The counterpart: what the test before refuses is refused for its origin."""
    client: Client = world.client("admin", enforce_csrf_checks=True)
    path = question(world, "mailboxes")
    html = page(client.get(path))
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', html)[1]
    assert client.post(path, {"csrfmiddlewaretoken": token}).status_code == 302
    assert len(scheduled()) == 1


def test_the_way_back_after_cancelling_leads_to_no_other_site(world):
    for evil in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        PendingDeletion.objects.all().delete()
        deletion = world.scheduled(DeletionKind.MAILBOX, LEA)
        response = world.post("deletions:cancel", deletion.pk, next=evil)
        assert (response.status_code, response["Location"]) == (302, "/deletions/"), evil


# The log of it


@pytest.mark.parametrize("role", ["viewer", "admin", "owner"])
def test_nobody_writes_to_the_audit_log_by_hand(world, role):
    world.deletion  # noqa: B018  leaves an entry
    entry = Entry.objects.get(action=Action.DELETION_SCHEDULED)
    client = world.client(role)
    paths = [reverse("audit:list"), reverse("audit:entry", args=[entry.pk])]
    paths += [reverse("audit:csv"), reverse("audit:json")]
    for path in paths:
        for method in ("post", "put", "patch", "delete"):
            assert getattr(client, method)(path, {"action": "x"}).status_code == 405, path
    for page_name in ("change", "delete"):
        admin_page = reverse(f"admin:audit_entry_{page_name}", args=[entry.pk])
        assert client.post(admin_page, {"post": "yes", "target": "x"}).status_code in (302, 403)
    assert Entry.objects.get(pk=entry.pk).target == entry.target


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_number_of_an_entry_leads_nowhere(world, forged):
    assert world.client("viewer").get(f"/settings/audit/{forged}/").status_code == 404
