"""What each line of a file comes to, and the pages on which people see it."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from migrations_app.batches.preview import COLUMNS, lines_of
from migrations_app.models import Batch, BatchLine, BatchState, MigrationJob, Server, State
from migrations_app.services import batches as services
from migrations_app.tests.batching import (
    DOMAIN,
    GOOD,
    HEADER,
    SECRET,
    lines,
    old_server,
    preview,
    purelymail_server,
    start,
    states,
    table,
)
from migrations_app.tests.factories import JobFactory, ServerFactory
from migrations_app.tests.pages import text_of, url
from purelymanage.core.errors import InvalidError, RefusedError
from purelymanage.core.tables import read_table
from purelymanage.jobs.models import WorkerHost

pytestmark = pytest.mark.django_db
NEW = "/migrations/batches/new/"
SOFT_HYPHEN = "\u00ad"


def only_line(admin, line: str, **changes) -> BatchLine:
    return lines(preview(admin, HEADER + line, **changes))[0]


def form(content: str, **changes) -> dict[str, object]:
    file = SimpleUploadedFile("Staff 2026.csv", content.encode())
    ends = {"source_server": old_server().pk, "destination_server": purelymail_server().pk}
    return {"file": file, "dry_run": "on", "subscribe": "on", **ends} | changes


# What a line comes to


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f",pw,lea@{DOMAIN},pw", "source_email is missing"),
        (f"lea@old.example,,lea@{DOMAIN},pw", "source_password is missing"),
        ("lea@old.example,pw,,pw", "dest_email is missing"),
        (f"lea@old.example,pw,lea@{DOMAIN},", "dest_password is missing"),
        (f"lea,pw,lea@{DOMAIN},pw", "source_email: This is not an e-mail address"),
        ("lea@old.example,pw,lea@,pw", "dest_email: This is not an e-mail address"),
        (f"lea@old.example,pw,le a@{DOMAIN},pw", "dest_email: This is not"),
        (f"{'x' * 260}@old.example,pw,lea@{DOMAIN},pw", "at most 254"),
        (f"lea@ol{SOFT_HYPHEN * 250}d.example,pw,lea@{DOMAIN},pw", "source_email: This is not"),
        (f'"""le\x01a""@old.example",pw,lea@{DOMAIN},pw', "source_email: This is not"),
        ("lea@old.example,pw,lea@other.example,pw", "other.example is not one of your domains"),
        ("lea@old.example,pw,lea@müller.example,pw", "müller.example is not one of your"),
        (f'lea@old.example,"a\nb",lea@{DOMAIN},pw', "source_password holds a line break"),
        (f"lea@old.example,pw,lea@{DOMAIN},{'x' * 1001}", "more than 1,000"),
        (f"lea@old.example,pw,lea@{DOMAIN},pw,more", "5 values instead of 4"),
        ("lea@old.example", "1 value instead of 4"),
    ],
)
def test_a_bad_line_says_what_is_wrong_and_keeps_no_password(admin, line, words):
    found = only_line(admin, line)
    assert found.state == "bad"
    assert words in found.problem
    assert not found.source_password
    assert not found.destination_password


def test_all_that_is_wrong_with_the_addresses_of_a_line_is_said_at_once(admin):
    problem = only_line(admin, "lea,pw,,pw").problem
    assert "source_email: This is not" in problem
    assert "dest_email is missing" in problem


def test_what_is_no_address_is_not_kept_because_it_may_be_a_password(admin):
    swapped = f"lea@old.example,lea@{DOMAIN},hunter2-{SECRET},{SECRET}"
    assert only_line(admin, swapped).destination_address == ""
    assert SECRET not in str(list(BatchLine.objects.values()))


def test_a_good_line_keeps_the_source_as_typed_and_writes_ours_in_its_one_form(admin):
    line = only_line(admin, f" Lea@Old.Example , pw ,LEA@{DOMAIN.upper()}.,pw\n")
    assert (line.state, line.problem) == ("good", "")
    assert line.source_address == "Lea@Old.Example"
    assert line.destination_address == f"lea@{DOMAIN}"
    assert line.source_password.reveal() == " pw "
    assert line.note == "A password begins or ends with a space."


def test_domains_count_only_where_the_destination_is_purelymail(admin):
    line = only_line(admin, "lea@old.example,pw,Lea@other.example,pw", **elsewhere())
    assert (line.state, line.note) == ("good", "")
    assert line.destination_address == "Lea@other.example"


def elsewhere() -> dict[str, Server]:
    return {"destination_server": ServerFactory(host="imap.third.example")}


def test_a_mailbox_that_is_not_there_yet_is_told(admin):
    notes = [line.note for line in lines(preview(admin, table(1) + GOOD))]
    assert notes == ["There is no such mailbox at PurelyMail yet. Create it first.", ""]


def test_the_second_of_two_like_lines_names_the_first(admin):
    batch = preview(admin, f"{HEADER}{GOOD}{GOOD.replace('lea@', 'LEA@')}")
    assert states(batch) == ["good", "bad"]
    assert lines(batch)[1].problem == "The same migration stands in line 2."


def test_two_sources_of_one_mailbox_are_good_and_told(admin):
    batch = preview(admin, f"{HEADER}{GOOD}info@old.example,pw,lea@{DOMAIN},pw\n")
    assert states(batch) == ["good", "good"]
    assert lines(batch)[1].note == "Line 2 goes into the same mailbox."


def job_like(line: str, **facts) -> MigrationJob:
    source, _old, destination, _new = line.strip().split(",")
    facts = {"state": State.QUEUED, "dry_run": True, "name": "Lea's"} | facts
    return JobFactory(
        source_server=old_server(),
        destination_server=purelymail_server(),
        source_address=source.upper(),
        destination_address=destination.title(),
        **facts,
    )


def test_what_an_unfinished_job_does_already_is_not_done_twice(admin):
    job_like(GOOD)
    line = only_line(admin, GOOD)
    assert line.state == "bad"
    assert line.problem == (
        "The same migration is unfinished as “Lea's”. Wait for it or cancel it."
    )


@pytest.mark.parametrize(
    "facts",
    [{"state": State.DONE}, {"dry_run": False}, {"state": State.INTERRUPTED, "requeues": 4}],
)
def test_a_job_that_is_over_or_of_another_kind_is_no_hindrance(admin, facts):
    job_like(GOOD, **facts)
    assert only_line(admin, GOOD).state == "good"


def test_source_and_destination_may_not_be_the_same_mailbox(admin):
    server = ServerFactory(host="imap.both.example", port=993)
    other_door = ServerFactory(host="IMAP.both.example", port=143)
    ends = {"source_server": server, "destination_server": other_door}
    same = only_line(admin, "lea@both.example,pw,Lea@both.example,pw", **ends)
    assert same.problem == "Source and destination are the same mailbox."
    assert only_line(admin, "lea@both.example,pw,max@both.example,pw", **ends).state == "good"


def test_with_temporary_passwords_no_destination_password_is_needed_or_kept(admin):
    content = f"source_email,source_password,dest_email\nlea@old.example,pw,lea@{DOMAIN}\n"
    line = lines(preview(admin, content, uses_app_password=True))[0]
    assert (line.state, bool(line.destination_password)) == ("good", False)
    given = only_line(admin, GOOD, uses_app_password=True)
    assert (given.state, bool(given.destination_password)) == ("good", False)
    unknown = only_line(admin, f"max@old.example,pw,max@{DOMAIN},pw", uses_app_password=True)
    assert "not one of your mailboxes" in unknown.problem


def test_temporary_passwords_are_purelymails_alone(admin):
    with pytest.raises(RefusedError) as caught:
        preview(admin, HEADER + GOOD, uses_app_password=True, **elsewhere())
    assert caught.value.field == "uses_app_password"
    assert not Batch.objects.exists()


@pytest.mark.parametrize(
    "content",
    [
        (HEADER + GOOD).encode("utf-8-sig"),
        (HEADER + GOOD).replace(",", ";").replace("\n", "\r\n").encode(),
        (HEADER + GOOD).replace(",", "\t").encode("utf-16"),
        GOOD.encode(),
        (HEADER + GOOD).replace("new-", "n\xfc-").encode("latin-1"),
        b"dest_email,Dest Password,SOURCE-EMAIL,source_password\n"
        + f'lea@{DOMAIN},"a,b",lea@old.example,"say ""x"""\n'.encode(),
    ],
)
def test_files_are_read_as_spreadsheets_write_them(admin, content):
    assert states(preview(admin, content)) == ["good"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty"),
        (HEADER, "nothing below the first line"),
        ("name,source_email\n", "does not name the columns"),
        ("source_email,source_password,dest_email\na@b.example,c,d@e.example\n", "dest_password"),
        (HEADER + GOOD * 10_001, "more than 10,000 lines"),
    ],
)
def test_what_is_no_such_table_leaves_nothing_behind(admin, content, words):
    with pytest.raises(InvalidError, match=words):
        preview(admin, content)
    assert not Batch.objects.exists()


@pytest.mark.parametrize("count", [1, 500])
def test_however_long_a_file_is_judging_it_takes_three_queries(
    admin, django_assert_num_queries, count
):
    batch = preview(admin, HEADER + GOOD)
    read = read_table(table(count).encode(), columns=COLUMNS, required=COLUMNS)
    with django_assert_num_queries(3):
        judged = lines_of(
            batch, read, source=batch.source_server, destination=batch.destination_server
        )
    assert len(judged) == count


# The pages


def test_from_the_form_to_the_preview(admin_client):
    content = f"{HEADER}{GOOD}max@old.example,{SECRET},max@other.example,{SECRET}\n"
    answer = admin_client.post(NEW, form(content), follow=True)
    batch = Batch.objects.get()
    page = text_of(answer)
    assert answer.redirect_chain[-1][0] == url("batch_preview", batch.pk)
    assert batch.name == "Staff 2026"
    assert (batch.dry_run, batch.is_paused, batch.start_at) == (True, False, None)
    assert "Import the 1 good one" in page
    assert "All or nothing is not possible" in page
    assert "other.example is not one of your domains" in page
    assert "no-store" in answer["Cache-Control"]
    for text in (page, str(list(Entry.objects.values())), str(list(BatchLine.objects.values()))):
        assert SECRET not in text


def test_the_choices_of_the_form_are_kept(admin_client):
    later = timezone.localtime() + timedelta(days=2)
    data = form(
        HEADER + GOOD,
        name="Weekend",
        dry_run="",
        is_paused="on",
        uses_app_password="on",
        start_at=later.strftime("%Y-%m-%dT%H:%M"),
        engine_wanted="builtin",
        exclude="Spam",
        bandwidth_kbs="500",
    )
    assert admin_client.post(NEW, data).status_code == 302
    batch = Batch.objects.get()
    assert (batch.name, batch.dry_run, batch.uses_app_password) == ("Weekend", False, True)
    assert batch.is_paused
    assert batch.paused_by == "Adam"
    assert batch.start_at == later.replace(second=0, microsecond=0)
    assert batch.engine_wanted == "builtin"
    assert batch.options["exclude"] == ["Spam"]
    assert batch.options["bytes_per_second"] == 500_000


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"file": ""}, "Choose a file, or paste lines"),
        ({"pasted": GOOD}, "not both"),
        ({"source_server": "999"}, "This server is gone"),
        ({"destination_server": ""}, "Choose a server."),
        ({"start_at": "2020-01-01T10:00"}, "This moment is over"),
        ({"start_at": "soon"}, "Enter a date and a time"),
        ({"engine_wanted": "mbsync"}, "mbsync"),
        ({"include": "A", "exclude": "A"}, "stands in both lists"),
        ({"max_size_mb": "0"}, "from 1 to"),
    ],
)
def test_what_is_wrong_in_the_form_is_said_beside_it(admin_client, changes, words):
    answer = admin_client.post(NEW, form(HEADER + GOOD) | changes)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert not Batch.objects.exists()


def test_all_that_is_missing_is_said_at_once(admin_client):
    page = text_of(admin_client.post(NEW, form("", file="", source_server="")))
    assert "Choose a file, or paste lines" in page
    assert "Choose a server." in page


def test_a_file_that_is_no_table_is_refused_on_the_form(admin_client):
    answer = admin_client.post(NEW, form("PK\x03\x04 xl/"))
    assert answer.status_code == 422
    assert "Excel" in text_of(answer)


def test_every_problem_can_be_read_page_by_page_and_as_a_file(viewer_client, admin):
    bad = "".join(f"p{number}@old.example,pw,nobody{number},pw\n" for number in range(70))
    batch = preview(admin, HEADER + GOOD + bad)
    page = text_of(viewer_client.get(url("batch_preview", batch.pk) + "?state=bad&page=2"))
    assert "of 70" in page
    assert "lea" not in page.partition("<tbody")[2]
    assert "Discard" not in page
    answer = viewer_client.get(url("batch_lines", batch.pk) + "?state=bad")
    rows = list(csv.reader(io.StringIO(text_of(answer).removeprefix("\ufeff"))))
    assert len(rows) == 71
    assert rows[70][:2] == ["72", "p69@old.example"]
    assert "not an e-mail address" in rows[70][4]


def test_the_preview_costs_the_same_for_one_line_and_for_hundreds(viewer_client, admin):
    few, many = preview(admin, table(1)), preview(admin, table(300))
    counts = []
    for batch in (few, few, many):  # the first look warms up what is kept
        with CaptureQueriesContext(connection) as queries:
            viewer_client.get(url("batch_preview", batch.pk))
        counts.append(len(queries))
    assert counts[1] == counts[2] <= 12


def test_the_template_can_be_uploaded_as_it_is(viewer_client):
    content = b"".join(viewer_client.get(url("batch_template")).streaming_content)
    read = read_table(content, columns=COLUMNS, required=COLUMNS)
    assert [row.error for row in read.rows] == ["", ""]
    assert all(read.rows[0].values.values())


def test_a_batch_that_is_made_shows_itself_instead(admin_client):
    batch = preview_of_state(BatchState.ACTIVE)
    answer = admin_client.get(url("batch_preview", batch.pk))
    assert answer["Location"] == reverse("migrations:batch", args=[batch.pk])
    polled = admin_client.get(url("batch_preview", batch.pk), headers={"HX-Request": "true"})
    assert polled["HX-Redirect"] == reverse("migrations:batch", args=[batch.pk])


def preview_of_state(state: BatchState) -> Batch:
    return Batch.objects.create(name="staff", state=state, created_by_name="Adam")


def test_while_it_is_imported_the_page_asks_again_by_itself(admin_client, admin):
    batch = start(admin, table(3))
    page = text_of(admin_client.get(url("batch_preview", batch.pk)))
    assert "0 of 3" in page
    assert 'hx-trigger="every 2s"' in page
    part = text_of(admin_client.get(url("batch_preview", batch.pk), headers={"HX-Request": "true"}))
    assert "<html" not in part
    assert "0 of 3" in part
    assert "No worker is there" in part
    now = timezone.now()
    WorkerHost.objects.create(name="here", capacity=1, seen_at=now, started_at=now)
    assert "No worker is there" not in text_of(admin_client.get(url("batch_preview", batch.pk)))


def test_without_servers_the_form_says_what_to_do_first(admin_client):
    assert "No servers yet" in text_of(admin_client.get(NEW))


def test_a_viewer_imports_and_discards_nothing(viewer_client, admin):
    batch = preview(admin, HEADER + GOOD)
    assert viewer_client.get(NEW).status_code == 403
    for name in ("batch_import", "batch_discard"):
        assert viewer_client.post(url(name, batch.pk)).status_code == 403
    batch.refresh_from_db()
    assert batch.is_preview


# Thrown away


def test_discarding_forgets_lines_and_passwords(admin_client, admin):
    batch = preview(admin, HEADER + GOOD)
    answer = admin_client.post(url("batch_discard", batch.pk))
    assert answer["Location"] == NEW
    assert not BatchLine.objects.exists()
    assert admin_client.get(url("batch_preview", batch.pk)).status_code == 404
    assert Entry.objects.order_by("pk").last().action == "migrations.discarded"


def test_what_is_being_imported_is_not_discarded(admin):
    batch = start(admin, HEADER + GOOD)
    with pytest.raises(RefusedError):
        services.discard(batch=batch)
    assert states(batch) == ["good"]


def test_a_preview_that_nobody_came_back_to_goes_after_a_week(admin):
    old, young = preview(admin, HEADER + GOOD), preview(admin, HEADER + GOOD)
    week = timezone.now() - timedelta(days=7, minutes=1)
    Batch.objects.filter(pk=old.pk).update(created_at=week)
    services.discard_old_previews()
    assert states(old) == []
    assert states(young) == ["good"]
