"""What is stored of second factors: sealed, bound to person, kind and field; nothing to read."""

from __future__ import annotations

import base64
import copy
import json
import time

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt
from django.db import connection

from accounts.factors.sealing import Unsealed
from accounts.services.factors import spend_code
from accounts.tests.factors import app_of, code_of, give_codes, with_app
from purelymanage import crypto

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def stored() -> list[str]:
    """The data of every row, as the database has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM mfa_authenticator ORDER BY id")
        return [str(data) for (data,) in cursor.fetchall()]


def readable(secret: str) -> list[str]:
    """Ways in which a secret could be read off."""
    raw = secret.encode()
    forms = [secret, base64.b64encode(raw).decode(), raw.hex(), base64.b32encode(raw).decode()]
    return [form.rstrip("=") for form in forms]


def put(row: Authenticator, name: str, value: str) -> Authenticator:
    """The row after somebody wrote into the database."""
    data = json.loads(json.dumps(row.data)) | {name: value}
    with connection.cursor() as cursor:
        sql = "UPDATE mfa_authenticator SET data = %s WHERE id = %s"
        cursor.execute(sql, [json.dumps(data), row.pk])
    return Authenticator.objects.get(pk=row.pk)


def envelope(row: Authenticator, name: str) -> str:
    return str(json.loads(json.dumps(row.data))[name])


def test_nothing_that_is_stored_can_be_read(admin):
    secret = with_app(admin)
    codes = give_codes(admin)
    seed = decrypt(Authenticator.objects.get(type="recovery_codes").data["seed"])
    whole = "".join(stored())
    assert whole.count('"pm1.') == 2
    for hidden in (secret, seed, *codes):
        assert not any(form in whole for form in readable(hidden))


def test_what_was_sealed_opens_where_it_stands(admin):
    secret = with_app(admin)
    assert decrypt(app_of(admin).data["secret"]) == secret


def test_the_secret_of_another_person_does_not_open(admin, owner):
    with_app(admin)
    with_app(owner)
    moved = put(app_of(admin), "secret", envelope(app_of(owner), "secret"))
    with pytest.raises(crypto.DecryptionError):
        decrypt(moved.data["secret"])


def test_nor_does_one_of_another_kind_or_field(admin):
    with_app(admin)
    give_codes(admin)
    codes = Authenticator.objects.get(type="recovery_codes")
    for moved, name in (
        (put(app_of(admin), "secret", envelope(codes, "seed")), "secret"),
        (put(codes, "spare", envelope(codes, "seed")), "spare"),
    ):
        with pytest.raises(crypto.DecryptionError):
            decrypt(moved.data[name])


def test_a_row_that_was_given_to_somebody_else_does_not_open(admin, owner):
    with_app(admin)
    Authenticator.objects.update(user=owner)
    with pytest.raises(crypto.DecryptionError):
        decrypt(app_of(owner).data["secret"])


def test_a_plain_secret_in_the_database_opens_nothing(admin):
    with_app(admin)
    changed = put(app_of(admin), "secret", SECRET)
    with pytest.raises(crypto.DecryptionError):
        decrypt(changed.data["secret"])


def bulk_create(row: Authenticator) -> None:
    Authenticator.objects.bulk_create([row])


def bulk_update(row: Authenticator) -> None:
    kept = app_of(row.user)
    kept.data = row.data
    Authenticator.objects.bulk_update([kept], ["data"])


def update(row: Authenticator) -> None:
    Authenticator.objects.filter(user=row.user).update(data=row.data)


@pytest.mark.parametrize("way", [bulk_create, bulk_update, update])
def test_ways_round_the_seal_store_an_empty_text(admin, way):
    if way is not bulk_create:
        with_app(admin)
    data = {"secret": get_adapter().encrypt(SECRET)}
    way(Authenticator(user=admin, type="totp", data=data))
    assert json.loads(stored()[0])["secret"] == ""
    assert SECRET not in "".join(stored())


def test_a_secret_on_its_way_does_not_show_itself():
    waiting = Unsealed(SECRET)
    assert SECRET not in f"{waiting}{waiting!r}{json.dumps([waiting])}{copy.copy(waiting)!s}"


def test_saving_again_keeps_it_sealed_and_opens(admin):
    secret = with_app(admin)
    row = app_of(admin)
    before = stored()
    row.save()
    row.record_usage()
    assert stored() == before
    assert spend_code(row, code_of(secret))
    assert time.time() // 30 - app_of(admin).data["last_step"] < 3
    assert decrypt(app_of(admin).data["secret"]) == secret
    assert not any(form in "".join(stored()) for form in readable(secret))
