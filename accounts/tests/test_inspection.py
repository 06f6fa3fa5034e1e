"""Django's admin: for owners, read-only, without secrets."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.actions import Action
from audit.services import record
from conftest import PASSWORD
from migrations_app.models import MigrationJob, Security
from purelymanage.core.inspection import InspectionAdmin

pytestmark = pytest.mark.django_db

OURS = [
    model
    for config in apps.get_app_configs()
    if not config.module.__name__.startswith(("django", "allauth", "lucide", "template_partials"))
    for model in config.get_models()
]
SHOWN = sorted(admin.site._registry, key=lambda model: model._meta.label)


@pytest.fixture
def job(owner):
    return MigrationJob.objects.create(
        name="Mara",
        created_by=owner,
        source_host="old.example",
        source_port=993,
        source_security=Security.TLS,
        source_address="mara@old.example",
        source_password="old secret",
        destination_host="new.example",
        destination_port=993,
        destination_security=Security.TLS,
        destination_address="mara@new.example",
        destination_password="new secret",
    )


def page(model: type, name: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def test_every_table_of_ours_is_there_and_nothing_packages_bring_along():
    assert set(OURS) <= set(SHOWN)
    assert {model._meta.label for model in set(SHOWN) - set(OURS)} == {"mfa.Authenticator"}
    assert all(isinstance(shown, InspectionAdmin) for shown in admin.site._registry.values())


@pytest.mark.parametrize("model", SHOWN, ids=lambda model: model._meta.label)
def test_owners_look_at_every_table_but_cannot_change_it(owner_client, model):
    assert owner_client.get(page(model, "changelist")).status_code == 200
    assert owner_client.get(page(model, "add")).status_code == 403
    assert "delete_selected" not in owner_client.get(page(model, "changelist")).content.decode()


def test_a_row_opens_without_a_way_to_save_or_delete(owner_client, owner):
    url = page(User, "change", owner.pk)
    text = owner_client.get(url).content.decode()
    assert "_save" not in text
    assert "/delete/" not in text
    assert owner_client.post(url, {"role": "viewer"}).status_code == 403
    assert owner_client.post(page(User, "delete", owner.pk), {"post": "yes"}).status_code == 403


def test_no_hash_no_ciphertext_and_no_session_key_is_shown(owner, job):
    client = Client()
    client.post("/accounts/login/", {"login": owner.email, "password": PASSWORD})
    record(Action.JOB_CREATED, target=job)
    session = client.cookies["sessionid"].value
    secrets = [
        owner.password,
        session,
        job.source_password.envelope,
        job.destination_password.envelope,
        "old secret",
        "new secret",
        "pm1.",
    ]
    seen = 0
    for model in SHOWN:
        urls = [page(model, "changelist")]
        urls += [page(model, "change", row.pk) for row in model._default_manager.all()]
        for url in urls:
            text = client.get(url).content.decode()
            seen += 1
            for secret in secrets:
                assert secret not in text, url
    assert seen > len(SHOWN) + 3


def test_admins_and_viewers_are_told_no(admin_client, viewer_client):
    for client in (admin_client, viewer_client):
        for path in ("/admin/", "/admin/login/", "/admin/accounts/user/"):
            assert client.get(path, follow=True).status_code == 403


def test_strangers_sign_in_on_the_one_page(client, owner):
    response = client.get("/admin/accounts/user/", follow=True)
    assert response.redirect_chain[-1][0].startswith("/accounts/login/?next=/admin/")
    password = {"username": owner.email, "password": PASSWORD}
    assert client.post("/admin/login/", password)["Location"].startswith("/accounts/login/")
    assert client.get("/settings/").status_code == 302


def test_the_password_is_changed_on_the_one_page(owner_client):
    response = owner_client.get("/admin/password_change/")
    assert response["Location"] == "/accounts/password/change/"
