import pytest
from django.db import connection

from migrations_app.models import MigrationJob, Security
from purelymanage.crypto import DecryptionError, Secret, decrypt, encrypt

pytestmark = pytest.mark.django_db


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


def test_a_secret_opens_where_it_was_sealed():
    assert decrypt(encrypt("päss", bound_to="a"), bound_to="a") == "päss"


def test_two_envelopes_of_one_secret_differ():
    assert encrypt("x", bound_to="a") != encrypt("x", bound_to="a")


def test_a_moved_envelope_does_not_open():
    with pytest.raises(DecryptionError, match="changed or moved"):
        decrypt(encrypt("x", bound_to="a"), bound_to="b")


def test_an_unknown_key_is_named():
    with pytest.raises(DecryptionError, match="no key 'ffffffff'"):
        decrypt("pm1.ffffffff.AAAA", bound_to="a")


def test_the_plain_text_is_in_neither_instance_nor_database():
    job = make_job(source_password="hunter2-secret")
    with connection.cursor() as cursor:
        cursor.execute("SELECT source_password FROM migrations_app_migrationjob")
        (stored,) = cursor.fetchone()
    assert stored.startswith("pm1.")
    assert "hunter2" not in stored
    assert "hunter2" not in repr(vars(job))
    assert MigrationJob.objects.get().source_password.reveal() == "hunter2-secret"


def test_an_envelope_of_another_row_is_refused():
    one, two = make_job(source_password="first"), make_job(source_password="second")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE migrations_app_migrationjob SET source_password ="
            " (SELECT source_password FROM migrations_app_migrationjob WHERE id = %s)"
            " WHERE id = %s",
            [one.pk, two.pk],
        )
    two.refresh_from_db()
    with pytest.raises(DecryptionError):
        two.source_password.reveal()


def test_a_secret_assigned_from_another_row_is_sealed_anew():
    one = make_job(source_password="first")
    two = make_job(source_password=one.source_password)
    two.refresh_from_db()
    assert two.source_password.reveal() == "first"


def test_a_secret_can_be_emptied():
    job = make_job(source_password="first")
    job.source_password = ""
    job.save()
    job.refresh_from_db()
    assert not job.source_password


def test_a_plain_value_in_a_query_is_refused():
    job = make_job()
    with pytest.raises(TypeError, match="assignment only"):
        MigrationJob.objects.filter(pk=job.pk).update(source_password="plain")


def test_a_secret_prints_as_dots():
    secret = Secret("pm1.x.y", lambda: "place")
    assert "pm1" not in repr(secret)
    assert str(secret) == "••••••••"
