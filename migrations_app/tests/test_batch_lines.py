"""What each line of a file comes to."""

from __future__ import annotations

import pytest

from migrations_app.batches.preview import COLUMNS, lines_of
from migrations_app.models import Batch, BatchLine, MigrationJob, Server, State
from migrations_app.tests.batching import (
    DOMAIN,
    GOOD,
    HEADER,
    SECRET,
    SOFT_HYPHEN,
    lines,
    old_server,
    only_line,
    preview,
    purelymail_server,
    states,
    table,
)
from migrations_app.tests.factories import JobFactory, ServerFactory
from purelymanage.core.errors import InvalidError, RefusedError
from purelymanage.core.tables import read_table

pytestmark = pytest.mark.django_db


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
