"""The envelope of stored secrets, what it refuses, and the field that holds it."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.db import connection

from migrations_app.models import MigrationJob, Security
from purelymanage import crypto
from purelymanage.crypto import DecryptionError, Purpose, Secret, decrypt, encrypt

KEY = "dGVzdCBrZXkgb2YgZXhhY3RseSAzMiBieXRlcyBsb24="
OTHER_KEY = base64.b64encode(bytes(range(32))).decode()
NONCE = bytes(range(12))
PLACE = "migrations_app_migrationjob:6f0d:source_password"
KNOWN = {
    Purpose.FIELDS: "pm1.a43d64b4.AAECAwQFBgcICQoLCnRMjGVvky1_dZowfBLYmjjt0e-6Ovop9Rv5aNg=",
    Purpose.SESSIONS: "pm1.a43d64b4.AAECAwQFBgcICQoL5Hy3GhPaSnAFJDpIArkLq7iqS5xL-S8KWBR-f68=",
    Purpose.SECOND_FACTORS: "pm1.a43d64b4.AAECAwQFBgcICQoLZTk-3EF9iksjYibpdk9xFJ0BDiAhO2N7azIy79E=",
}


def make_job(**fields: object) -> MigrationJob:
    return MigrationJob.objects.create(
        name="x",
        source_host="h",
        source_port=993,
        source_security=Security.TLS,
        source_address="a@old.example",
        destination_host="d",
        destination_port=993,
        destination_security=Security.TLS,
        destination_address="a@new.example",
        **fields,
    )


def derived(purpose: str) -> bytes:
    """As `derive_key` does it, written down once more."""
    kdf = HKDF(SHA256(), length=32, salt=None, info=b"purelymanage " + purpose.encode())
    return kdf.derive(base64.b64decode(KEY))


def stored_in(table: str, column: str, pk: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} WHERE id = %s", [pk])
        return cursor.fetchone()[0]


# The envelope


@pytest.mark.parametrize("purpose", [Purpose.FIELDS, Purpose.SESSIONS, Purpose.SECOND_FACTORS])
def test_the_envelope_is_what_anybody_can_compute_who_has_the_key(purpose, monkeypatch):
    monkeypatch.setattr(crypto.secrets, "token_bytes", lambda _length: NONCE)
    sealed = AESGCM(derived(purpose)).encrypt(NONCE, "pässwörd".encode(), PLACE.encode())
    expected = ".".join(
        ["pm1", derived("key id")[:4].hex(), base64.urlsafe_b64encode(NONCE + sealed).decode()]
    )
    assert encrypt("pässwörd", bound_to=PLACE, purpose=purpose) == expected
    assert decrypt(expected, bound_to=PLACE, purpose=purpose) == "pässwörd"


@pytest.mark.parametrize("purpose", KNOWN)
def test_what_was_sealed_once_opens_for_ever(purpose):
    assert decrypt(KNOWN[purpose], bound_to=PLACE, purpose=purpose) == "correct horse"


def test_a_secret_opens_where_it_was_sealed():
    assert decrypt(encrypt("päss", bound_to="a"), bound_to="a") == "päss"


def test_two_envelopes_of_one_secret_differ():
    assert encrypt("x", bound_to="a") != encrypt("x", bound_to="a")


# What is refused


def test_a_change_of_any_letter_is_refused():
    envelope = encrypt("twelve or so bytes", bound_to="a")
    for position, letter in enumerate(envelope):
        for other in {"A", "B", "0", "1", "=", ".", "/", "\n", chr(ord(letter) ^ 1)} - {letter}:
            with pytest.raises(DecryptionError):
                decrypt(envelope[:position] + other + envelope[position + 1 :], bound_to="a")


def test_a_change_of_any_byte_is_refused():
    head, _dot, payload = encrypt("twelve or so bytes", bound_to="a").rpartition(".")
    sealed = base64.urlsafe_b64decode(payload)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 0x80
        with pytest.raises(DecryptionError, match="changed or moved"):
            decrypt(f"{head}.{base64.urlsafe_b64encode(changed).decode()}", bound_to="a")


@pytest.mark.parametrize("bytes_left", [0, 11, 12, 27])
def test_what_was_cut_off_is_refused(bytes_left):
    head, _dot, payload = encrypt("x", bound_to="a").rpartition(".")
    cut = base64.urlsafe_b64encode(base64.urlsafe_b64decode(payload)[:bytes_left]).decode()
    with pytest.raises(DecryptionError):
        decrypt(f"{head}.{cut}", bound_to="a")


def test_a_moved_envelope_does_not_open():
    with pytest.raises(DecryptionError, match="changed or moved"):
        decrypt(encrypt("x", bound_to="a"), bound_to="b")


@pytest.mark.parametrize("purpose", [Purpose.SESSIONS, Purpose.SECOND_FACTORS])
def test_an_envelope_of_another_purpose_does_not_open(purpose):
    with pytest.raises(DecryptionError, match="changed or moved"):
        decrypt(encrypt("x", bound_to="a"), bound_to="a", purpose=purpose)


def test_no_two_purposes_share_a_key():
    keys = {crypto.derive_key(base64.b64decode(KEY), purpose) for purpose in Purpose}
    assert len(keys) == len(Purpose)


def test_an_unknown_key_is_named_with_what_to_do():
    with pytest.raises(DecryptionError, match=r"secret a does .* no key ffffffff .* back") as error:
        decrypt("pm1.ffffffff.AAAA", bound_to="a")
    assert (error.value.place, error.value.missing_key) == ("a", "ffffffff")
    assert "AAAA" not in str(error.value)


def test_an_unknown_form_is_named():
    with pytest.raises(DecryptionError, match="does not know the form pm2") as error:
        decrypt("pm2.ffffffff.AAAA", bound_to="a")
    assert "AAAA" not in str(error.value)


@pytest.mark.parametrize("text", ["hunter2", "hunter2.x.y", "pm1.hunter2.AAAA", "pm1.hunter2"])
def test_what_is_no_envelope_is_not_repeated(text):
    with pytest.raises(DecryptionError, match="no envelope") as error:
        decrypt(text, bound_to="a")
    assert "hunter2" not in str(error.value)


def test_an_older_key_opens_and_the_first_one_seals(settings):
    older = encrypt("x", bound_to="a")
    settings.ENCRYPTION_KEYS = [OTHER_KEY, KEY]
    assert decrypt(older, bound_to="a") == "x"
    newer = encrypt("x", bound_to="a")
    assert newer.startswith(crypto.current_prefix())
    settings.ENCRYPTION_KEYS = [KEY]
    with pytest.raises(DecryptionError, match="no key"):
        decrypt(newer, bound_to="a")


# The field


@pytest.mark.django_db
def test_the_plain_text_is_in_neither_instance_nor_database():
    job = make_job(source_password="hunter2-secret")
    stored = stored_in("migrations_app_migrationjob", "source_password", job.pk)
    assert stored.startswith("pm1.")
    assert "hunter2" not in stored
    assert "hunter2" not in repr(vars(job))
    assert MigrationJob.objects.get().source_password.reveal() == "hunter2-secret"


@pytest.mark.django_db
@pytest.mark.parametrize("source", ["source_password", "destination_password"])
def test_an_envelope_of_another_row_or_field_is_refused(source):
    one = make_job(source_password="first", destination_password="second")
    two = make_job(destination_password="third")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE migrations_app_migrationjob SET destination_password ="
            f" (SELECT {source} FROM migrations_app_migrationjob WHERE id = %s)",
            [one.pk],
        )
    two.refresh_from_db()
    with pytest.raises(DecryptionError, match=str(two.row_key)):
        two.destination_password.reveal()
    one.refresh_from_db()
    if source == "source_password":
        with pytest.raises(DecryptionError, match="destination_password"):
            one.destination_password.reveal()


@pytest.mark.django_db
def test_a_secret_assigned_from_another_row_is_sealed_anew():
    one = make_job(source_password="first")
    two = make_job(source_password=one.source_password)
    two.refresh_from_db()
    assert two.source_password.reveal() == "first"


@pytest.mark.django_db
def test_a_secret_can_be_changed_and_emptied():
    make_job(source_password="first")
    job = MigrationJob.objects.get()
    job.source_password = "second"
    job.save()
    job = MigrationJob.objects.get()
    assert job.source_password.reveal() == "second"
    job.source_password = ""
    job.save()
    assert not MigrationJob.objects.get().source_password


@pytest.mark.django_db
def test_saving_a_row_leaves_a_secret_alone_that_was_sealed_anew_meanwhile(settings):
    """Otherwise a worker with an older copy of the row would undo a rotation."""
    pk = make_job(source_password="first").pk
    held = MigrationJob.objects.get()
    settings.ENCRYPTION_KEYS = [OTHER_KEY, KEY]
    fresh = MigrationJob.objects.get()
    fresh.source_password = "first"
    fresh.save()
    held.name = "renamed"
    held.save()
    stored = stored_in("migrations_app_migrationjob", "source_password", pk)
    assert stored.startswith(crypto.current_prefix())
    assert MigrationJob.objects.get().name == "renamed"


@pytest.mark.django_db
def test_a_plain_value_in_a_query_is_refused():
    job = make_job()
    with pytest.raises(TypeError, match="assignment only"):
        MigrationJob.objects.filter(pk=job.pk).update(source_password="plain")


def test_a_secret_prints_as_dots():
    secret = Secret("pm1.x.y", lambda: "place")
    assert "pm1" not in repr(secret)
    assert str(secret) == "••••••••"
