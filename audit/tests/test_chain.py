"""How rows enter the chain, in which form, under which keys, and how old ones leave it."""

from __future__ import annotations

import multiprocessing
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone

from audit import chain, guards
from audit.actions import Action
from audit.cutting import cut, cut_old_entries
from audit.findings import Kind
from audit.models import Chain, Cut, Entry, Outcome
from audit.rows import stored_rows
from audit.services import Happened, audited, record, record_all
from audit.tests.chains import guarded, make_history, make_pair, sql
from audit.verification import Verdict, verify

pytestmark = pytest.mark.django_db

OLD = "dGVzdCBrZXkgb2YgZXhhY3RseSAzMiBieXRlcyBsb24="
NEW = "YW5vdGhlciBrZXkgb2YgZXhhY3RseSAzMiBieXRlcyE="


def positions() -> list[int]:
    return [row.position for row in stored_rows()]


# The form of a row

NASTY = {
    "unicode": "Zoë 😀 ‮‭ é é \x7f",
    "quotes": "\"'\\/<>&\t\n",
    "floats": [0.1, 1e-7, 1.0, -0.0, 1e16, 1e300, 5e-324, 2.5, 123456789.123456789],
    "big": [2**53 + 1, 2**63, -(2**100), 10**400],
    "no numbers": [float("nan"), float("inf")],
    "nested": {"b": [{"z": None, "a": [[]]}], "a": {}},
    "others": [True, False, None, "", 0],
    "moments": [datetime(2026, 3, 29, 2, 30, tzinfo=UTC), Decimal("1.10"), timedelta(days=2)],
    "": "empty name",
    1: "number as name",
}


@pytest.mark.parametrize(
    "address",
    [None, "192.0.2.7", "2001:DB8:0:0::1", "::1", "::ffff:192.0.2.7", "fe80::1", "::192.0.2.7"],
)
def test_a_row_reads_back_as_the_bytes_that_were_sealed(admin, address):
    entry = Entry(
        actor_name="Zoë 😀",
        actor=admin,
        address=address,
        action=Action.RULE_CHANGED,
        target="ü" * 500,
        before=NASTY,
        after={"deep": [NASTY]},
    )
    entry.save()
    Outcome(entry=entry, result="ok", reason="“…”", after=NASTY).save()
    assert verify().verdict == Verdict.GOOD


def test_numbers_have_one_form():
    floats = chain.plain({"x": [1.0, 1e16, -0.0, 0.1, float("nan")]})
    assert str(floats) == "{'x': [1, 10000000000000000, 0, 0.1, 'NaN']}"


def test_the_bytes_are_those_that_the_documentation_shows():
    values = {
        "id": 7,
        "position": 7,
        "at": datetime(2026, 11, 21, 14, 0, tzinfo=UTC),
        "address": "2001:db8::1",
        "actor_id": None,
        "before": {"b": "ü", "a": 1},
        "link": "x",
        "mac": "x",
    }
    assert chain.canonical("entry", values) == (
        b'{"address":"20010db8000000000000000000000001","at":"2026-11-21T14:00:00.000000+00:00",'
        b'"before":{"a":1,"b":"\\u00fc"},"id":7,"position":7,"row":"entry"}'
    )


def test_targets_are_stored_as_people_write_them():
    record(Action.MAILBOX_CREATED, target="lea@xn--bcher-kva.example")
    record(Action.DEVIATION_ACCEPTED, target="xn--bcher-kva.example: MX")
    assert set(Entry.objects.values_list("target", flat=True)) == {
        "lea@bücher.example",
        "bücher.example: MX",
    }


# How rows enter


def test_entries_and_outcomes_share_one_sequence_in_the_order_they_were_written():
    make_pair("outer", "inner")
    assert [row.table for row in stored_rows()] == ["entry", "entry", "outcome", "outcome"]
    assert positions() == [1, 2, 3, 4]


def test_many_at_once_are_tied_like_one_by_one(django_assert_max_num_queries):
    record(Action.COPY_REFRESHED)
    with django_assert_max_num_queries(6):
        record_all(Happened(Action.DRIFT_FOUND, f"row {number}") for number in range(30))
    assert positions() == list(range(1, 63))
    assert verify().verdict == Verdict.GOOD
    Entry.objects.bulk_create([Entry(actor_name="Adam", action="a") for _ in range(3)])
    assert verify().verdict == Verdict.GOOD


def test_what_is_rolled_back_leaves_no_gap():
    record(Action.COPY_REFRESHED)

    def fail() -> None:
        with transaction.atomic():
            record(Action.COPY_REFRESHED)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    record(Action.COPY_REFRESHED)
    assert positions() == [1, 2, 3, 4]
    assert verify().verdict == Verdict.GOOD


@pytest.mark.django_db(transaction=True)
def test_a_writer_that_dies_between_insert_and_commit_leaves_no_gap():
    record(Action.COPY_REFRESHED)

    def die() -> None:
        transaction.atomic().__enter__()
        record(Action.COPY_REFRESHED)
        connection.connection.close()  # as when the process is gone

    thread = threading.Thread(target=die)
    thread.start()
    thread.join()
    record(Action.COPY_REFRESHED)
    assert positions() == [1, 2, 3, 4]
    assert verify().verdict == Verdict.GOOD


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_twenty_writers_at_once_make_one_chain():
    each = 500 if connection.vendor == "postgresql" else 50

    def write(number: int) -> None:
        for turn in range(each):
            with audited(Action.RULE_CHANGED, target=f"{number}/{turn}"):
                pass

    connections.close_all()  # each process opens its own
    forked = multiprocessing.get_context("fork")
    writers = [forked.Process(target=write, args=(number,)) for number in range(20)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert {writer.exitcode for writer in writers} == {0}
    report = verify()
    assert (report.verdict, report.entries) == (Verdict.GOOD, 20 * each)
    assert report.head == str(Chain.objects.get())
    assert positions() == list(range(1, 40 * each + 1))


# Keys


def test_a_new_key_goes_on_where_the_old_one_ended(settings):
    make_history(2)
    settings.AUDIT_KEYS = [NEW]
    make_history(2)
    assert set(Entry.objects.values_list("key_id", flat=True)) == set(chain.known_keys())
    assert verify().verdict == Verdict.GOOD


def test_once_the_new_key_has_vouched_the_old_one_may_go(settings):
    make_history(2)
    settings.AUDIT_KEYS = [NEW]
    make_history(1)
    settings.ENCRYPTION_KEYS = []
    assert verify().verdict == Verdict.GOOD
    sql("UPDATE audit_entry SET target = 'x' WHERE position = 3")
    finding = verify().finding
    assert (finding.kind, finding.position) == (Kind.CHANGED, 3)


def test_without_the_key_of_the_newest_rows_nobody_can_tell(settings):
    make_history(2)
    settings.AUDIT_KEYS, settings.ENCRYPTION_KEYS = [NEW], []
    report = verify()
    assert (report.verdict, report.finding.position) == (Verdict.UNKNOWN, 1)
    make_history(1)
    report = verify()
    assert (report.verdict, report.finding.position) == (Verdict.UNKNOWN, 1), "it does not vouch"
    settings.ENCRYPTION_KEYS = [OLD]
    assert verify().verdict == Verdict.GOOD


def test_rows_forged_in_the_name_of_a_lost_key_are_not_made_good_by_what_is_written_later():
    """The forger links properly, which takes no key, and names one that nobody has any more."""
    make_history(3)
    head = Entry.objects.get(position=5).seal
    forged = Outcome.objects.get(position=6)
    forged.after, forged.key_id = {"forged": True}, "0badcafe"
    fields = forged._meta.concrete_fields
    content = chain.canonical("outcome", {f.attname: getattr(forged, f.attname) for f in fields})
    link = chain.link_after(head, content)
    sql(
        "UPDATE audit_outcome SET after = %s, key_id = %s, link = %s, mac = %s WHERE position = 6",
        *('{"forged": true}', "0badcafe", link, "3" * 64),
    )
    sql("UPDATE audit_chain SET key_id = %s, link = %s, mac = %s", "0badcafe", link, "3" * 64)
    make_history(2)
    report = verify()
    assert (report.verdict, report.finding.kind) == (Verdict.UNKNOWN, Kind.NO_KEY)
    assert (report.finding.position, report.last_good.position) == (6, 5)


# How rows leave


@pytest.fixture
def a_year(time_machine):
    """An entry a month, 10 of them, ended at once."""
    now = timezone.now()
    for month in range(10, 0, -1):
        time_machine.move_to(now - timedelta(days=30 * month))
        make_history(1)
    time_machine.move_to(now)
    return now


def test_a_cut_removes_what_is_old_and_the_rest_verifies(a_year):
    made = cut(before=a_year - timedelta(days=105))
    assert (made.position, made.rows) == (14, 14)
    assert positions() == list(range(15, 23))
    report = verify()
    assert (report.verdict, report.entries) == (Verdict.GOOD, 4)
    entry = Entry.objects.get(action=Action.AUDIT_CUT)
    assert entry.after["rows"] == 14
    assert cut(before=a_year - timedelta(days=105)) is None
    assert cut(before=a_year - timedelta(days=75)).position == 16
    assert verify().verdict == Verdict.GOOD
    make_history(1)
    assert verify().verdict == Verdict.GOOD


def test_everything_may_be_cut_and_the_log_goes_on(a_year):
    cut(before=a_year)
    assert positions() == [21, 22]
    make_history(1)
    assert verify().verdict == Verdict.GOOD


def test_what_is_in_progress_or_ended_lately_stays(time_machine):
    now = timezone.now()
    time_machine.move_to(now - timedelta(days=50))
    make_history(1)
    time_machine.move_to(now - timedelta(days=6))
    running = Entry(actor_name="system", action=Action.JOB_STARTED)
    running.save()
    make_history(2)
    time_machine.move_to(now)
    assert cut(before=now - timedelta(days=1)).position == 2
    assert Entry.objects.filter(pk=running.pk).exists()
    Outcome(entry=running, result="ok").save()
    assert cut(before=now - timedelta(days=1)) is None, "it ended today"
    assert verify().verdict == Verdict.GOOD


def test_an_entry_that_never_ended_is_cut_in_time(a_year, time_machine):
    time_machine.move_to(a_year - timedelta(days=400))
    assert verify().verdict == Verdict.GOOD
    Entry(actor_name="system", action=Action.JOB_STARTED, at=timezone.now()).save()
    time_machine.move_to(a_year)
    assert cut(before=a_year).position == 21


def test_a_cut_never_parts_an_entry_from_its_outcome(time_machine):
    now = timezone.now()
    time_machine.move_to(now - timedelta(days=20))
    with audited(Action.RULE_CHANGED, target="outer"):
        make_history(2)
        time_machine.move_to(now - timedelta(days=10))
        make_history(1)
        time_machine.move_to(now - timedelta(days=2))
    time_machine.move_to(now)
    assert cut(before=now - timedelta(days=5)) is None
    assert cut(before=now - timedelta(days=1)).position == 8
    assert verify().verdict == Verdict.GOOD


def test_retention_is_off_unless_it_is_set(a_year, settings):
    assert cut_old_entries() is None
    settings.AUDIT_RETENTION_DAYS = 100
    assert cut_old_entries().position == 14


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("DELETE FROM audit_cut", Kind.REMOVED),
        ("UPDATE audit_cut SET position = 12", Kind.CHANGED),
        ("UPDATE audit_cut SET rows = 12", Kind.CHANGED),
        ("UPDATE audit_cut SET link = row_mac", Kind.CHANGED),
        ("DELETE FROM audit_outcome WHERE position = 16", Kind.REMOVED),
    ],
)
def test_tampering_with_a_cut_is_found(a_year, statement, kind):
    cut(before=a_year - timedelta(days=105))
    sql(statement)
    assert verify().finding.kind == kind


def test_a_forged_cut_hides_nothing(a_year):
    sql(
        "INSERT INTO audit_cut (position, link, mac, key_id, row_mac, rows, at)"
        " SELECT position, link, mac, key_id, mac, 8, at FROM audit_outcome WHERE position = 8;"
        "DELETE FROM audit_outcome WHERE position <= 8;"
        "DELETE FROM audit_entry WHERE position <= 8"
    )
    assert verify().finding.kind == Kind.CHANGED


def test_a_cut_outlives_its_key_by_its_entry_in_the_log(a_year, settings):
    cut(before=a_year - timedelta(days=105))
    settings.AUDIT_KEYS = [NEW]
    make_history(1)
    settings.ENCRYPTION_KEYS = []
    assert verify().verdict == Verdict.GOOD
    sql("UPDATE audit_cut SET position = 12")
    assert verify().verdict == Verdict.TAMPERED


# What the database refuses


@pytest.mark.parametrize("table", guards.TABLES)
@pytest.mark.parametrize("statement", ["UPDATE {} SET position = 99", "DELETE FROM {}"])
def test_the_database_refuses_to_change_and_to_remove(a_year, table, statement):
    cut(before=a_year - timedelta(days=105))
    with (
        guarded(),
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table))
    assert verify().verdict == Verdict.GOOD


def test_the_migrations_leave_the_guards_in_place():
    record(Action.COPY_REFRESHED)
    for table in guards.TABLES[:2]:
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"UPDATE {table} SET position = 99")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite knows no TRUNCATE")
def test_postgresql_refuses_to_truncate():
    with (
        guarded(),
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("TRUNCATE audit_entry CASCADE")


def test_a_cut_leaves_the_guards_up(a_year):
    cut(before=a_year - timedelta(days=105))
    assert not Chain.objects.get().is_cutting
    assert Cut.objects.count() == 1
