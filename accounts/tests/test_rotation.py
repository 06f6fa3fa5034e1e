"""Every stored secret is sealed anew with the current key, and nothing is lost on the way."""

from __future__ import annotations

import base64
import io
import json

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.db import connection

from accounts import about, rotation
from accounts.factors import sealing
from accounts.models import Session
from audit.actions import Action
from audit.models import Entry
from migrations_app.models import MigrationJob
from migrations_app.tests.factories import JobFactory
from purelymanage import crypto
from purelymanage.crypto import Purpose

pytestmark = pytest.mark.django_db
NEW_KEY = base64.b64encode(bytes(range(32))).decode()
LOST_KEY = base64.b64encode(bytes(range(32, 64))).decode()


@pytest.fixture
def sealed(owner, owner_client, settings):
    """One secret of each kind, sealed with what is the older key from now on."""
    job = JobFactory(source_password="old secret", destination_password="new secret")
    totp = Authenticator(user=owner, type=Authenticator.Type.TOTP, data={})
    totp.data = {"secret": sealing.Unsealed("JBSWY3DPEHPK3PXP"), "at": 7}
    totp.save()
    settings.ENCRYPTION_KEYS = [NEW_KEY, *settings.ENCRYPTION_KEYS]
    return job


def rotate(*arguments: str) -> tuple[dict[str, dict], int]:
    """What the command prints for each table, and its exit code."""
    output, status = io.StringIO(), 0
    try:
        call_command("rotate_encryption_keys", "--json", *arguments, stdout=output)
    except SystemExit as end:
        status = int(end.code)
    return {one["table"]: one for one in json.loads(output.getvalue())["tables"]}, status


def test_everything_is_sealed_anew_and_still_opens(sealed, owner, owner_client, settings):
    tables, status = rotate()
    assert status == 0
    assert {name: one["resealed"] for name, one in tables.items() if one["resealed"]} == {
        "migrations_app_migrationjob": 2,
        "mfa_authenticator": 1,
        "accounts_session": 1,
    }
    settings.ENCRYPTION_KEYS = [NEW_KEY]
    sealed.refresh_from_db()
    assert sealed.source_password.reveal() == "old secret"
    assert sealed.destination_password.reveal() == "new secret"
    totp = Authenticator.objects.get()
    assert sealing.opened(totp.data["secret"]) == "JBSWY3DPEHPK3PXP"
    assert totp.data["at"] == 7
    assert owner_client.get("/settings/about/").status_code == 200


def test_every_purpose_that_seals_has_its_place_in_the_rotation():
    """A new one that is stored elsewhere would be lost with the older key."""
    for_what = {getattr(one, "purpose", Purpose.SECOND_FACTORS) for one in rotation.sources()}
    assert for_what | {Purpose.AUDIT_CHAIN, Purpose.KEY_ID} == set(Purpose)


def test_a_second_run_finds_nothing_to_do(sealed):
    rotate()
    entries = Entry.objects.count()
    tables, status = rotate()
    assert status == 0
    assert {one["resealed"] for one in tables.values()} == {0}
    assert tables["migrations_app_migrationjob"]["current"] == 2
    assert Entry.objects.count() == entries


def test_what_was_done_already_is_left_alone(sealed):
    """So that a run that was killed goes on where it was."""
    JobFactory(source_password="made with the new key")
    before = dict(MigrationJob.objects.values_list("pk", "source_password"))
    rotate()
    after = dict(MigrationJob.objects.values_list("pk", "source_password"))
    assert [pk for pk in before if before[pk] != after[pk]] == [sealed.pk]


def test_it_is_on_record_without_a_secret(sealed):
    rotate()
    entry = Entry.objects.get(action=Action.KEYS_ROTATED)
    assert entry.target == crypto.known_key_ids()[0]
    assert entry.outcome.after == {"resealed": 4, "left": 0}


def test_what_is_typed_meanwhile_is_not_lost(sealed, monkeypatch):
    """Between our reading and our writing somebody edits the job."""
    encrypt = crypto.encrypt

    def edited_first(plaintext: str, **where: object) -> str:
        if plaintext == "old secret":
            job = MigrationJob.objects.get()
            job.source_password = "typed meanwhile"
            job.save(update_fields=["source_password"])
        return encrypt(plaintext, **where)

    monkeypatch.setattr(crypto, "encrypt", edited_first)
    _tables, status = rotate()
    assert status == 0
    assert MigrationJob.objects.get().source_password.reveal() == "typed meanwhile"


def test_a_row_written_behind_it_with_the_older_key_is_found_by_the_next_pass(sealed, monkeypatch):
    keys = crypto.settings.ENCRYPTION_KEYS
    told = []

    def written_elsewhere(count: rotation.Count) -> None:
        if not told:
            crypto.settings.ENCRYPTION_KEYS = keys[1:]
            JobFactory(source_password="by a process with older settings")
            crypto.settings.ENCRYPTION_KEYS = keys
        told.append(count)

    counts = rotation.rotate(tell=written_elsewhere)
    assert [count.left for count in counts] == [0] * len(counts)


@pytest.mark.parametrize("batch", ["1", "3"])
def test_the_size_of_a_batch_changes_nothing(sealed, batch):
    JobFactory.create_batch(3, source_password="with the new key")
    assert rotate("--batch", batch)[1] == 0


def test_what_does_not_open_is_named_and_the_rest_is_done(sealed, settings):
    known = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = [LOST_KEY]
    lost = JobFactory(source_password="sealed with a lost key", destination_password="")
    lost_id = crypto.known_key_ids()[0]
    settings.ENCRYPTION_KEYS = known
    tables, status = rotate()
    jobs = tables["migrations_app_migrationjob"]
    assert status == 1
    assert (jobs["resealed"], jobs["left"]) == (2, 1)
    [failed] = jobs["failed"]
    assert str(lost.row_key) in failed["secret"]
    assert failed["missing_key"] == lost_id
    assert "sealed with" not in json.dumps(tables)


def test_a_plain_text_in_a_column_is_named_and_not_repeated(sealed):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE migrations_app_migrationjob SET source_password = 'pm1.hunter2.x'")
    tables, status = rotate()
    assert status == 1
    assert "hunter2" not in json.dumps(tables)
    assert set(rotation.keys_in_use()) == {crypto.known_key_ids()[0], rotation.NO_KEY}


def test_what_is_printed_says_whether_the_older_key_may_go(sealed):
    output = io.StringIO()
    call_command("rotate_encryption_keys", stdout=output)
    assert "migrations_app_migrationjob: 2 sealed anew, 0 were current, 0 left" in output.getvalue()
    assert "The others are not needed any more." in output.getvalue()


def test_expired_sessions_hold_nothing_up(sealed):
    Session.objects.update(expire_date="2020-01-01T00:00Z")
    assert rotate()[1] == 0


def test_the_about_page_says_which_keys_are_in_use(sealed, settings):
    fact = dict(about.facts())["Stored secrets"]
    assert fact.tone == "warn"
    assert "rotate_encryption_keys" in fact.note
    rotate()
    assert dict(about.facts())["Stored secrets"].tone == "ok"
    settings.ENCRYPTION_KEYS = [LOST_KEY]
    fact = dict(about.facts())["Stored secrets"]
    assert fact.tone == "bad"
    assert "ENCRYPTION_KEYS" in fact.note
