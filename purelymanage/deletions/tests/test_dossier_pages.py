"""The page of one deletion, with what was there when it was scheduled."""

from __future__ import annotations

import pytest
from django.utils import timezone

from purelymanage.deletions.models import DeletionKind, DeletionState, PendingDeletion
from purelymanage.deletions.tests.pages import HTMX, detail, page, pending
from purelymanage.deletions.tests.world import DOMAIN, MARA

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_queue")]


def test_a_dossier_tells_settings_and_rules_in_words(admin_client, viewer_client):
    method = {
        "type": "email",
        "target": "private@home.example",
        "description": "her own",
        "allow_mfa_reset": True,
    }
    settings = {
        "address": MARA,
        "enable_search_indexing": True,
        "enable_password_reset": False,
        "require_two_factor": True,
        "enable_spam_filtering": True,
        "recovery_methods": [method],
    }
    rule = {"source": f"info@{DOMAIN}", "kind": "Address", "targets": [MARA]}
    dossier = {
        "settings": settings,
        "rules_acting_on_it": [],
        "rules_delivering_to_it": [rule],
        "unfinished_migrations": [MARA],
    }
    deletion = pending(MARA, dossier=dossier, dossier_read_at=timezone.now())
    html = page(admin_client.get(detail(deletion)))
    assert "<dt>Second factor required</dt><dd>yes</dd>" in html
    assert "<dt>Password can be reset</dt><dd>no</dd>" in html
    assert "private@home.example, her own, may also switch off the second factor" in html
    assert f"info@{DOMAIN} → {MARA}" in html
    assert "<dt>Rules that act on its mail</dt><dd>None.</dd>" in html
    assert f"/settings/audit/?target=mara%40{DOMAIN}" in html
    theirs = page(viewer_client.get(detail(deletion)))
    assert "private@home.example" not in theirs
    assert "Only admins see this part." in theirs


def test_a_dossier_of_hundreds_of_mailboxes_shows_the_first_and_folds_the_rest(admin_client):
    names = [f"m{number:03}@xn--bcher-kva.example" for number in range(500)]
    dossier = {"settings": {}, "verdicts": {"MX": True}, "dependants": {"Mailboxes": names}}
    deletion = pending("bücher.example", kind=DeletionKind.DOMAIN, dossier=dossier)
    html = page(admin_client.get(detail(deletion)))
    assert "Mailboxes (500)" in html
    shown, folded = html.split("<summary>", 1)
    assert "m019@bücher.example" in shown
    assert "m020@" not in shown
    assert "and 480 more" in folded
    assert "m499@bücher.example" in folded


@pytest.mark.parametrize("kind", DeletionKind)
def test_an_empty_dossier_is_no_error(viewer_client, kind):
    key = "12" if kind == DeletionKind.RULE else "a.example"
    assert viewer_client.get(detail(pending("a.example", kind=kind, key=key))).status_code == 200


def test_the_page_of_one_asks_again_and_loads_anew_once_it_ended(viewer_client):
    deletion = pending("lea@a.example")
    known = HTMX | {"Known-State": "pending"}
    part = page(viewer_client.get(detail(deletion), headers=known))
    assert "23 h 59" in part
    assert "<html" not in part
    PendingDeletion.objects.update(state=DeletionState.EXECUTED, ended_at=timezone.now())
    assert viewer_client.get(detail(deletion), headers=known)["HX-Refresh"] == "true"
