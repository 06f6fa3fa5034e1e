"""Django's admin holds nothing back but secrets: of every table a row whose secrets are known."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django_q.models import OrmQ, Success

from accounts.models import SecurityPolicy, User
from audit.actions import Action
from audit.services import record
from conftest import signed_in_long_ago
from purelymanage.crypto import EncryptedField

pytestmark = pytest.mark.django_db

SHOWN = sorted(admin.site._registry, key=lambda model: model._meta.label)
SUSPICIOUS = re.compile(
    r"passw|secret|token|digest|session_key|session_data|^data$|payload|code|mac"
)
SECRET = {
    "accounts.User.password",
    "accounts.Session.session_key",
    "accounts.Session.session_data",
    "accounts.Invitation.token_digest",
    "mfa.Authenticator.data",
}
"""Beside the encrypted fields, which never are on a page."""
NO_SECRET = {
    "audit.Chain.mac": "proves the row to who holds the key; the file for auditors has it",
    "audit.Cut.mac": "as above",
    "audit.Cut.row_mac": "as above",
    "audit.Entry.mac": "as above",
    "audit.Outcome.mac": "as above",
    "audit.Verification.mac": "as above",
    "deletions.PendingDeletion.token": "which worker holds the row; no door takes it",
    "domains.PurelyMailAccount.ownership_code": "stands in public DNS",
    "migrations_app.MigrationJob.token": "which worker holds the row; no door takes it",
}
WORD = "kn0wn-word"


def name_of(field: models.Field) -> str:
    return f"{field.model._meta.label}.{field.name}"


def is_secret(field: models.Field) -> bool:
    return isinstance(field, EncryptedField) or name_of(field) in SECRET


def value_for(field: models.Field, people: dict[str, User]) -> Any:
    """Something the column takes; for secrets and for what could be one, a word to look for."""
    if name_of(field) == "mfa.Authenticator.data":
        return {"secret": f"{WORD}-authenticator", "migrated_codes": [f"{WORD}-recovery"]}
    if is_secret(field):
        return f"{WORD}-{field.name}"
    if field.choices:
        return field.choices[0][0]
    if field.is_relation:
        return people["owner"] if field.related_model is User else make(field.related_model, people)
    kinds: dict[type[models.Field], Any] = {
        models.EmailField: "shown@example.com",
        models.CharField: f"{field.name}"[: getattr(field, "max_length", None) or 40],
        models.TextField: field.name,
        models.GenericIPAddressField: "192.0.2.9",
        models.UUIDField: uuid.uuid4(),
        models.DateTimeField: timezone.now(),
        models.DateField: date(2030, 1, 1),
        models.TimeField: time(22),
        models.DecimalField: Decimal(1),
        models.BooleanField: False,
        models.IntegerField: 1,
        models.JSONField: {},
    }
    return next(value for kind, value in kinds.items() if isinstance(field, kind))


def make(model: type[models.Model], people: dict[str, User]) -> models.Model:
    """The row of this test in a table."""
    if model is User:
        return people["owner"]
    if model is SecurityPolicy:
        return SecurityPolicy.objects.get_or_create(pk=1)[0]
    if row := model._default_manager.first():
        return row
    fields = [
        field
        for field in model._meta.concrete_fields
        if not isinstance(field, models.AutoField | models.GeneratedField)
        and field.related_model is not model
        and (is_secret(field) or not field.has_default() or isinstance(field, models.UUIDField))
    ]
    row = model(**{field.name: value_for(field, people) for field in fields})
    row.save(force_insert=True)
    return row


@pytest.fixture
def rows(owner: User) -> dict[type[models.Model], models.Model]:
    """One of every table that is shown, and the queue's payloads, which are not."""
    record(Action.JOB_CREATED, target="a job")
    OrmQ.objects.create(key="app", payload=f"{WORD}-payload", lock=timezone.now())
    Success.objects.create(
        id=uuid.uuid4().hex,
        name="task",
        func="f",
        args=(f"{WORD}-argument",),
        started=timezone.now(),
        stopped=timezone.now(),
    )
    return {model: make(model, {"owner": owner}) for model in SHOWN}


@pytest.fixture
def secrets(rows: dict[type[models.Model], models.Model]) -> set[str]:
    """What was put in, and how it is stored."""
    found = {WORD, "pm1."}
    for model in SHOWN:
        for field in filter(is_secret, model._meta.concrete_fields):
            stored = list(model._default_manager.values_list(field.name, flat=True))
            assert stored, field
            found.update(_words(stored))
    return {word for word in found if len(word) > 3}


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _words(item)
    else:
        yield getattr(value, "envelope", None) or str(value)


def page(model: type[models.Model], name: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def test_whether_a_column_is_secret_is_decided_for_each_that_could_be() -> None:
    for model in SHOWN:
        for field in model._meta.concrete_fields:
            is_text = isinstance(field, models.CharField | models.TextField | models.JSONField)
            if SUSPICIOUS.search(field.name) and (is_text or isinstance(field, models.UUIDField)):
                assert is_secret(field) or name_of(field) in NO_SECRET, name_of(field)


def pages_about(client: Client, model: type[models.Model], row: models.Model) -> Iterator[str]:
    """The list, each of its filters and orders, a search, the row and its history."""
    changelist = page(model, "changelist")
    text = client.get(changelist).content.decode()
    yield changelist
    for query in set(re.findall(r'href="(\?[^"]+)"', text)):
        yield changelist + query.replace("&amp;", "&")
    columns = admin.site._registry[model].list_display
    yield from (f"{changelist}?o={number}" for number in range(1, len(columns) + 1))
    yield f"{changelist}?q={WORD[:5]}"
    yield f"{changelist}?_popup=1"
    yield f"{changelist}?all=&_facets=True"
    yield page(model, "change", row.pk)
    yield page(model, "change", row.pk) + "?_popup=1"
    yield page(model, "history", row.pk)


def test_no_page_shows_a_secret(
    owner_client: Client, rows: dict[type[models.Model], models.Model], secrets: set[str]
) -> None:
    seen = 0
    addresses = [reverse("admin:index")]
    for model, row in rows.items():
        addresses += pages_about(owner_client, model, row)
    for address in addresses:
        response = owner_client.get(address, follow=True)
        text = response.content.decode()
        assert response.status_code == 200, address
        assert not [word for word in secrets if word in text], address
        seen += 1
    assert seen > 10 * len(SHOWN)


COMPARISONS = ("", "__startswith", "__regex", "__gt", "__contains", "__isnull", "__in")


def test_no_address_asks_for_a_column_that_is_not_a_filter(
    rows: dict[type[models.Model], models.Model],
) -> None:
    for model in SHOWN:
        shown = admin.site._registry[model]
        for field in model._meta.get_fields():
            for comparison in COMPARISONS:
                is_open = shown.lookup_allowed(f"{field.name}{comparison}", "a", None)
                is_filter = field.name in shown.list_filter
                assert is_open == (is_filter and comparison in ("", "__isnull", "__in"))
            if field.is_relation and field.related_model:
                for inner in field.related_model._meta.get_fields():
                    assert not shown.lookup_allowed(f"{field.name}__{inner.name}", "a", None)


@pytest.mark.parametrize(
    ("table", "lookup"),
    [
        ("accounts_user", "password__startswith"),
        ("accounts_session", "session_key__startswith"),
        ("accounts_session", "session_data__contains"),
        ("accounts_session", "user__password__regex"),
        ("accounts_invitation", "token_digest__gt"),
        ("accounts_invitation", "invited_by__password__startswith"),
        ("mfa_authenticator", "data__secret__startswith"),
        ("mfa_authenticator", "user__password__startswith"),
        ("migrations_app_migrationjob", "source_password__startswith"),
        ("mailboxes_mailboxbatchrow", "password__startswith"),
        ("migrations_app_batchline", "source_password__startswith"),
        ("audit_entry", "actor__password__startswith"),
        ("audit_entry", "actor__sessions__session_key__startswith"),
    ],
)
@pytest.mark.usefixtures("rows")
def test_no_secret_can_be_guessed_by_filtering(
    owner_client: Client, table: str, lookup: str
) -> None:
    for guess in ("k", "z"):
        response = owner_client.get(reverse(f"admin:{table}_changelist"), {lookup: guess})
        assert response.status_code == 400


@pytest.mark.parametrize("model", SHOWN, ids=lambda model: model._meta.label)
def test_nothing_can_be_changed(
    owner_client: Client, rows: dict[type[models.Model], models.Model], model: type[models.Model]
) -> None:
    pk = rows[model].pk
    before = list(model._default_manager.values())
    for address in (page(model, "add"), page(model, "change", pk), page(model, "delete", pk)):
        assert owner_client.post(address, {"post": "yes"}).status_code == 403
    changelist = page(model, "changelist")
    bulk = {"action": "delete_selected", "_selected_action": [str(pk)], "post": "yes"}
    owner_client.post(changelist, bulk)
    owner_client.post(changelist, {"form-TOTAL_FORMS": "1", "_save": "Save"})
    after = list(model._default_manager.values())
    kept = [row for row in after if row in before]
    assert len(kept) == len(before) or model._meta.label == "accounts.Session"  # it was used


def addresses_of_the_admin() -> Iterator[str]:
    for pattern in admin.site.get_urls():
        if getattr(pattern, "name", None):
            for args in ([], [1], [1, 1], ["accounts"]):
                try:
                    yield reverse(f"admin:{pattern.name}", args=args)
                except NoReverseMatch:
                    continue
    for model in SHOWN:
        for name, args in (
            ("changelist", []),
            ("add", []),
            ("history", [1]),
            ("delete", [1]),
            ("change", [1]),
        ):
            yield page(model, name, *args)


def test_raw_data_is_for_who_just_confirmed_who_they_are(client: Client, owner: User) -> None:
    client.force_login(owner)
    signed_in_long_ago(client)
    ways_in_and_out = {reverse("admin:login"), reverse("admin:logout")}
    for address in set(addresses_of_the_admin()) - ways_in_and_out:
        response = client.get(address)
        assert response.status_code == 302, address
        assert response["Location"].startswith(reverse("account_reauthenticate")), address
    assert client.post(reverse("admin:logout")).status_code in (200, 302)


def test_a_secret_in_json_is_looked_for_to_its_leaves() -> None:
    assert set(_words([json.loads('{"a": ["b", {"c": "d"}]}')])) == {"b", "d"}
