"""The pages of batches: from the file to the passwords, and who may do what."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from mailboxes.batches import runner
from mailboxes.batches.models import MailboxBatch, RowState
from mailboxes.batches.tests.helpers import DOMAIN, HEADER, drain, preview, start, table
from mailboxes.models import Mailbox
from mailboxes.tests.factories import MailboxFactory
from purelymanage.core.tables import read_table
from purelymanage.deletions.models import PendingDeletion
from routing.tests.factories import RoutingRuleFactory

pytestmark = pytest.mark.django_db
OWN = "Kw7-own; password"
UPLOAD = reverse("mailboxes:batches:upload")
SELECT = reverse("mailboxes:batches:select")


def url(name: str, batch: MailboxBatch) -> str:
    return reverse(f"mailboxes:batches:{name}", args=[batch.pk])


def csv_file(content: str | bytes, name: str = "new.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)


def read(response) -> list[list[str]]:
    content = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(content, newline="")))


def test_from_the_file_to_the_passwords(admin_client, domain, purelymail):
    content = f'{HEADER}lea,{DOMAIN},\nown,{DOMAIN},"{OWN}"\nbad,other.example,secret-of-bad\n'
    answer = admin_client.post(UPLOAD, {"file": csv_file(content)}, follow=True)
    batch = MailboxBatch.objects.get()
    page = answer.content.decode()
    assert answer.redirect_chain[-1][0] == url("detail", batch)
    assert "Create the 2 good ones" in page
    assert "All or nothing is not possible" in page
    assert "Create all or nothing" not in page
    assert "other.example is not one of your domains" in page
    assert "no-store" in answer["Cache-Control"]
    running = admin_client.post(url("start", batch), follow=True).content.decode()
    assert "0 of 2" in running
    assert 'hx-trigger="every 2s"' in running
    drain()
    assert admin_client.get(url("live", batch) + "?known=running-")["HX-Refresh"] == "true"
    done = admin_client.get(url("detail", batch)).content.decode()
    assert "1 password was generated" in done
    download = admin_client.post(url("passwords", batch))
    assert "no-store" in download["Cache-Control"]
    header, lea, own, _bad = read(download)
    assert header == ["local_part", "domain", "address", "password", "result"]
    assert purelymail.state.verify_password(lea[2], lea[3])
    assert own[3] == ""
    assert purelymail.state.verify_password(own[2], OWN)
    assert admin_client.post(url("passwords", batch)).status_code == 409
    after = admin_client.get(url("detail", batch)).content.decode()
    assert "were downloaded" in after
    for text in (page, running, done, after, repr(list(Entry.objects.values()))):
        assert OWN not in text
        assert lea[3] not in text
        assert "secret-of-bad" not in text


def test_no_password_is_in_the_database_in_the_clear(admin, domain):
    batch = preview(admin, f'{HEADER}own,{DOMAIN},"{OWN}"\nlea,{DOMAIN},\nbad,x.example,{OWN}\n')
    generated = batch.rows.get(line=3).password.reveal()
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)}")
            found = repr(cursor.fetchall())
            assert OWN not in found
            assert generated not in found
    if connection.vendor == "sqlite":
        path = str(connection.settings_dict["NAME"])
        content = b"".join(
            Path(path + end).read_bytes() for end in ("", "-wal") if Path(path + end).exists()
        )
        assert OWN.encode() not in content


def test_a_pasted_list_is_read_as_a_file_is(admin_client, domain):
    admin_client.post(UPLOAD, {"pasted": f"lea\t{DOMAIN}\t"})
    assert MailboxBatch.objects.get().rows.get().state == "ready"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "Choose a file"),
        ({"pasted": "a,b,c", "file": True}, "not both"),
        ({"pasted": "name;mail\nlea;x"}, "does not name the columns"),
        ({"pasted": f"local_part,domain,quota\nlea,{DOMAIN},5"}, "quota"),
        ({"big": True}, "more than 2 MB"),
    ],
)
def test_what_is_no_list_is_said_above_the_form(admin_client, domain, data, words):
    if data.pop("file", False):
        data["file"] = csv_file(table(1))
    if data.pop("big", False):
        data["file"] = csv_file(b"x" * (2 * 1024 * 1024 + 1))
    answer = admin_client.post(UPLOAD, data)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not MailboxBatch.objects.exists()


def test_a_guess_at_the_letters_is_told(admin_client, domain):
    content = f"{HEADER}lea,{DOMAIN},müßiggang\n".encode("latin-1")
    answer = admin_client.post(UPLOAD, {"file": csv_file(content)}, follow=True)
    assert "Windows-1252" in answer.content.decode()
    assert MailboxBatch.objects.get().rows.get().password.reveal() == "müßiggang"


def test_the_template_is_a_table_we_read(viewer_client):
    content = b"".join(viewer_client.get(reverse("mailboxes:batches:template")).streaming_content)
    rows = read_table(content, columns=("local_part", "domain", "password"), required=()).rows
    assert [row.error for row in rows] == ["", ""]


def test_the_lines_that_are_not_usable_can_be_taken_along_without_passwords(
    admin, viewer_client, domain
):
    batch = preview(admin, f'{HEADER}=1+1,{DOMAIN},\nlea,x.example,"{OWN}"\nok,{DOMAIN},\n')
    header, formula, lea = read(viewer_client.get(url("report", batch) + "?state=invalid"))
    assert header == ["line", "local_part", "domain", "state", "message"]
    assert formula[:3] == ["2", "'=1+1", DOMAIN]
    assert lea[:2] == ["3", "lea"]
    assert OWN not in str(lea)


def test_a_selection_asks_before_it_deletes(admin_client, domain):
    for number in range(14):
        MailboxFactory(address=f"p{number:02}@{DOMAIN}", domain=domain)
    pks = list(Mailbox.objects.values_list("pk", flat=True)[:12])
    answer = admin_client.post(SELECT, {"do": "delete", "selected": pks}, follow=True)
    page = answer.content.decode()
    assert "12 mailboxes are deleted with all their mail, exactly 24 hours after" in page
    assert "and 2 more" in page
    assert not PendingDeletion.objects.exists()
    batch = MailboxBatch.objects.get()
    admin_client.post(url("start", batch))
    drain()
    assert PendingDeletion.objects.count() == 12


def test_the_question_counts_each_rule_that_delivers_once(admin_client, domain):
    names = [f"{name}@{DOMAIN}" for name in ("lea", "ben")]
    pks = [MailboxFactory(address=name, domain=domain).pk for name in names]
    RoutingRuleFactory(domain=domain, match_user="team", targets=names)
    RoutingRuleFactory(domain=domain, match_user="lea", targets=["else@where.example"])
    answer = admin_client.post(SELECT, {"do": "delete", "selected": pks}, follow=True)
    assert "1 routing rule delivers to one of them" in answer.content.decode()


def test_everything_means_all_that_the_filter_matches(admin_client, domain):
    for name in ("anna", "hanna", "ben"):
        MailboxFactory(address=f"{name}@{DOMAIN}", domain=domain)
    answer = admin_client.post(
        f"{SELECT}?q=ANNA", {"do": "require_2fa", "everything": "1"}, follow=True
    )
    assert "app password of their own" in answer.content.decode()
    assert MailboxBatch.objects.get().rows.count() == 2


@pytest.mark.parametrize(
    ("data", "status"),
    [({"do": "delete"}, 409), ({"do": "burn", "everything": "1"}, 422), ({}, 422)],
)
def test_an_action_on_nothing_or_unknown_is_refused(admin_client, domain, data, status):
    data["selected"] = ["9" * 30, "x"]
    assert admin_client.post(SELECT, data).status_code == status


def test_that_owners_could_be_locked_out_is_said_once(admin_client, domain, purelymail):
    for name in ("lea", "ben", "mara"):
        purelymail.state.add_user(f"{name}@{DOMAIN}")
        MailboxFactory(address=f"{name}@{DOMAIN}", domain=domain)
    purelymail.state.users[f"mara@{DOMAIN}"].add_method("email", "mara@home.example")
    admin_client.post(SELECT, {"do": "require_2fa", "everything": "1"})
    batch = MailboxBatch.objects.get()
    admin_client.post(url("start", batch))
    drain()
    page = admin_client.get(url("detail", batch)).content.decode()
    assert page.count("2 mailboxes have no recovery method") == 1
    assert page.count("locked out") == 1
    assert page.count(">No recovery method.<") == 2


def test_while_the_passwords_leave_the_page_looks_again_until_they_are_gone(
    admin, admin_client, domain
):
    batch = start(admin, table(1))
    drain()
    download = "Download the new passwords"
    assert download in admin_client.get(url("detail", batch)).content.decode()
    leaving = admin_client.post(url("passwords", batch))
    page = admin_client.get(url("detail", batch)).content.decode()
    assert "are being downloaded" in page
    assert "every 2s" in page
    assert download not in page
    read(leaving)
    page = admin_client.get(url("detail", batch)).content.decode()
    assert "were downloaded" in page
    assert "every 2s" not in page


def test_a_preview_is_discarded_and_a_run_cancelled(admin, admin_client, domain):
    batch = preview(admin, table(2))
    admin_client.post(url("cancel", batch))
    assert not MailboxBatch.objects.exists()
    batch = start(admin, table(2))
    page = admin_client.post(url("cancel", batch), follow=True).content.decode()
    assert "Cancelled" in page
    drain()
    assert not Mailbox.objects.exists()


def test_a_cancelled_batch_is_watched_until_the_row_at_work_has_ended(admin, admin_client, domain):
    batch = start(admin, table(2))
    batch.rows.filter(line=2).update(state=RowState.STARTED)
    page = admin_client.post(url("cancel", batch), follow=True).content.decode()
    assert "At work" in page
    assert "known=cancelled-ending" in page
    drain()
    live = url("live", batch) + "?known=cancelled-ending"
    assert admin_client.get(live)["HX-Refresh"] == "true"
    page = admin_client.get(url("detail", batch)).content.decode()
    assert "At work" not in page
    assert "every 2s" not in page


def test_a_stopped_batch_says_why_and_offers_to_go_on(admin, admin_client, domain, purelymail):
    batch = start(admin, table(2))
    purelymail.fault("*", "invalid_token", times=None)
    drain()
    page = admin_client.get(url("detail", batch)).content.decode()
    assert "Continue" in page
    assert "token" in page
    assert "every 2s" not in page
    purelymail.up()
    admin_client.post(url("continue", batch))
    drain()
    assert Mailbox.objects.count() == 2


def test_the_pages_tell_that_a_batch_waits_and_goes_on_by_itself(
    admin, admin_client, domain, purelymail
):
    batch = start(admin, table(2))
    purelymail.down()
    runner.work()
    page = admin_client.get(url("detail", batch)).content.decode()
    assert "Nothing is lost. It goes on by itself" in page
    assert "in a moment" in page
    assert "every 2s" in page
    mailboxes = reverse("mailboxes:list")
    assert "Bulk work is under way" in admin_client.get(mailboxes).content.decode()
    purelymail.up()
    purelymail.fault("*", "invalid_token", times=None)
    drain()
    assert "Bulk work stopped" in admin_client.get(mailboxes).content.decode()
    purelymail.up()
    admin_client.post(url("continue", batch))
    drain()
    assert "New passwords wait" in admin_client.get(mailboxes).content.decode()


def test_a_batch_without_a_worker_does_not_claim_to_run(admin, admin_client, domain):
    batch = start(admin, table(2))
    waits = "No worker has it in hand"
    assert waits not in admin_client.get(url("detail", batch)).content.decode()
    minutes_ago = timezone.now() - timedelta(minutes=3)
    batch.rows.filter(line=2).update(state=RowState.DONE)
    MailboxBatch.objects.filter(pk=batch.pk).update(
        started_at=minutes_ago, resume_at=minutes_ago, holder=uuid.uuid4()
    )
    page = admin_client.get(url("detail", batch)).content.decode()
    assert waits in page
    assert "Waiting" in page
    assert " left<" not in page, "a pace of nothing says nothing about the end"
    drain()
    assert waits not in admin_client.get(url("detail", batch)).content.decode()


def test_viewers_read_and_change_nothing(admin, viewer_client, domain):
    batch = preview(admin, table(1))
    for name in ("detail", "live", "report"):
        assert viewer_client.get(url(name, batch)).status_code == 200
    assert viewer_client.get(reverse("mailboxes:batches:list")).status_code == 200
    page = viewer_client.get(url("detail", batch)).content.decode()
    assert "Discard" not in page
    assert viewer_client.get(UPLOAD).status_code == 403
    for target in (
        UPLOAD,
        SELECT,
        *(url(n, batch) for n in ("start", "continue", "cancel", "passwords")),
    ):
        assert viewer_client.post(target).status_code == 403
    assert batch.rows.get().state == "ready"


@pytest.mark.parametrize("size", [3, 400])
def test_pages_cost_the_same_however_long_the_file(
    admin, admin_client, domain, size, django_assert_max_num_queries
):
    waiting, running = preview(admin, table(size)), start(admin, table(size))
    for number in range(size):
        MailboxFactory(address=f"old{number}@{DOMAIN}", domain=domain)
    admin_client.post(SELECT, {"do": "delete", "everything": "1"})
    chosen = MailboxBatch.objects.get(kind="delete")
    for batch in (waiting, running, chosen):
        with django_assert_max_num_queries(12):
            assert admin_client.get(url("detail", batch)).status_code == 200
    with django_assert_max_num_queries(8):
        admin_client.get(url("live", running) + "?known=running-")
    with django_assert_max_num_queries(8):
        admin_client.get(reverse("mailboxes:batches:list"))
