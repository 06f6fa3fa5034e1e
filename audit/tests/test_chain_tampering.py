"""Each way of tampering with the log by SQL is found and called by its name."""

from __future__ import annotations

import pytest
from django.db import connection

from audit.findings import Kind
from audit.models import Chain, Entry, Outcome
from audit.tests.chains import make_history, sql
from audit.verification import Anchor, Verdict, verify

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def history() -> None:
    make_history()


def found() -> tuple[Kind, int] | None:
    finding = verify().finding
    return (finding.kind, finding.position) if finding else None


def test_an_untouched_log_is_good():
    report = verify()
    assert (report.verdict, report.finding, report.entries) == (Verdict.GOOD, None, 6)
    assert report.last_good.position == 12
    assert report.last_good.sentence == "system changed the routing rule rule 6: Done"
    assert report.head == str(Chain.objects.get())


NEW_VALUES = {
    "id": 4711,
    "at": "2020-01-01 00:00:00+00:00",
    "actor_kind": "person",
    "actor_name": "Mallory",
    "address": "203.0.113.9",
    "action": "rule.created",
    "target": "rule 99",
    "before": '{"n": 99}',
    "after": '{"n": 99}',
    "link": "0" * 64,
    "mac": "0" * 64,
    "key_id": "00000000",
    "result": "failed",
    "reason": "No.",
}


@pytest.mark.parametrize("column", sorted(NEW_VALUES.keys() - {"id", "result", "reason"}))
@pytest.mark.parametrize("position", [5, 11])
def test_a_changed_column_of_an_entry(column, position):
    sql(f"UPDATE audit_entry SET {column} = %s WHERE position = %s", NEW_VALUES[column], position)
    assert found() == (Kind.CHANGED, position)


@pytest.mark.parametrize("column", ["at", "result", "reason", "after", "link", "mac", "key_id"])
@pytest.mark.parametrize("position", [6, 12])
def test_a_changed_column_of_an_outcome(column, position):
    sql(f"UPDATE audit_outcome SET {column} = %s WHERE position = %s", NEW_VALUES[column], position)
    assert found() == (Kind.CHANGED, position)


STRANGE = ["link = 'zz'", "mac = 'zz'", "mac = 'zz', key_id = '0badcafe'"]
STRANGE += [f"""before = '{{"n": 1{"0" * 5000}}}'"""]
if connection.vendor == "postgresql":
    STRANGE += ["at = 'infinity'", "address = '192.0.2.0/24'"]
else:
    STRANGE += ["at = '2026-99-99 00:00:00'", "at = 5", "address = 'nowhere'"]
    STRANGE += [
        f"{column} = {value}"
        for column in ("target", "address", "link")
        for value in ("x'ff'", "CAST(x'ff' AS TEXT)")
    ]


@pytest.mark.parametrize("change", STRANGE)
def test_a_value_that_no_program_reads_is_a_change_like_any_other(change):
    sql(f"UPDATE audit_entry SET {change} WHERE position = 5")
    assert found() == (Kind.CHANGED, 5)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has numbers for numbers")
@pytest.mark.parametrize("position", ["'abc'", "9.5e18", "x'00'"])
def test_a_position_that_is_beyond_all_numbers_hides_nothing(position):
    sql(
        "INSERT INTO audit_entry (id, at, actor_kind, actor_name, action, target, before, after,"
        " position, link, mac, key_id) SELECT 99, at, actor_kind, actor_name, action, 'forged',"
        f" before, after, {position}, 'x', 'x', key_id FROM audit_entry WHERE position = 1"
    )
    assert found() == (Kind.INSERTED, 12)


def test_an_entry_that_is_said_to_be_somebody_elses(admin):
    sql("UPDATE audit_entry SET actor_id = %s WHERE position = 5", admin.pk)
    assert found() == (Kind.CHANGED, 5)


def test_every_column_is_one_that_these_tests_change():
    for model in (Entry, Outcome):
        columns = {field.attname for field in model._meta.concrete_fields}
        assert columns <= NEW_VALUES.keys() | {"position", "actor_id", "entry_id"}


def test_an_entry_with_another_key():
    both = (
        "UPDATE audit_outcome SET entry_id = {key} WHERE position = 6;"
        "UPDATE audit_entry SET id = {key} WHERE position = 5"
    )
    sql(both.format(key=4711))
    assert found() == (Kind.CHANGED, 5)
    sql(both.format(key=5))
    assert found() is None


@pytest.mark.parametrize("position", [-1, 0, 6, 1000])
def test_a_row_moved_elsewhere(position):
    sql("UPDATE audit_entry SET position = %s WHERE position = 5", position)
    assert found()[0] == Kind.REORDERED


def remove(first: int, last: int) -> None:
    sql("DELETE FROM audit_outcome WHERE position BETWEEN %s AND %s", first, last)
    sql("DELETE FROM audit_entry WHERE position BETWEEN %s AND %s", first, last)


@pytest.mark.parametrize(("first", "last"), [(5, 6), (6, 6), (1, 4), (3, 10)])
def test_removed_rows(first, last):
    remove(first, last)
    assert found() == (Kind.REMOVED, first)
    words = verify().finding.sentence
    assert words == (
        f"What stood at positions {first} to {last} was removed."
        if last > first
        else f"What stood at position {first} was removed."
    )
    assert (verify().last_good.position if first > 1 else first - 1) == first - 1


def test_the_end_cut_off():
    remove(9, 12)
    assert found() == (Kind.CUT_OFF, 12)


def move_head(position: int) -> None:
    model = Outcome if position % 2 == 0 else Entry
    row = model.objects.get(position=position)
    sql(
        "UPDATE audit_chain SET position = %s, link = %s, mac = %s, key_id = %s",
        *(row.position, row.link, row.mac, row.key_id),
    )


def test_the_end_cut_off_and_the_head_moved_is_found_by_a_head_kept_elsewhere():
    position, mac = verify().head.split(":")
    kept = Anchor(int(position), mac)
    remove(9, 12)
    move_head(8)
    assert verify().finding is None, "nothing inside the database can tell"
    finding = verify([kept]).finding
    assert (finding.kind, finding.position) == (Kind.CUT_OFF, 12)
    make_history()
    finding = verify([kept]).finding
    assert (finding.kind, finding.position) == (Kind.CUT_OFF, 12)


def test_everything_removed():
    remove(1, 12)
    assert found() == (Kind.CUT_OFF, 12)


def insert(position: int, *, target: str = "forged", link: str = "1" * 64, mac: str = "2" * 64):
    sql(
        "INSERT INTO audit_entry (id, at, actor_kind, actor_name, action, target, before, after,"
        " position, link, mac, key_id) SELECT %s, at, actor_kind, actor_name, action, %s, before,"
        " after, %s, %s, %s, key_id FROM audit_entry WHERE position = 1",
        *(position + 100, target, position, link, mac),
    )


def shift_up(first: int) -> None:
    for table in ("audit_entry", "audit_outcome"):  # in two steps, past the unique index
        sql(f"UPDATE {table} SET position = -position - 1 WHERE position >= %s", first)
        sql(f"UPDATE {table} SET position = -position WHERE position < 0")


def test_a_forged_entry_at_the_end():
    insert(13)
    assert found() == (Kind.INSERTED, 13)
    assert "forged" in verify().finding.sentence
    move_head(13)
    assert found() == (Kind.INSERTED, 13)


def test_a_forged_entry_between_others():
    shift_up(7)
    insert(7)
    assert found() == (Kind.INSERTED, 7)


def test_a_forged_entry_at_a_place_that_is_taken():
    insert(6)
    assert found()[0] == Kind.INSERTED


@pytest.mark.parametrize("position", [7, 13])
def test_a_copy_of_a_genuine_entry(position):
    genuine = Entry.objects.get(position=3)
    shift_up(position)
    insert(position, target=genuine.target, link=genuine.link, mac=genuine.mac)
    assert found() == (Kind.INSERTED, position)


@pytest.mark.parametrize(("one", "other"), [(3, 9), (3, 5), (1, 11)])
def test_two_entries_swapped(one, other):
    for old, new in ((one, -1), (other, one), (-1, other)):
        sql("UPDATE audit_entry SET position = %s WHERE position = %s", new, old)
    assert found() == (Kind.REORDERED, one)


def test_an_entry_and_the_outcome_behind_it_swapped():
    sql("UPDATE audit_entry SET position = -1 WHERE position = 5")
    sql("UPDATE audit_outcome SET position = 5 WHERE position = 6")
    sql("UPDATE audit_entry SET position = 6 WHERE position = -1")
    assert found() == (Kind.REORDERED, 5)


def test_the_words_of_two_entries_swapped():
    sql("UPDATE audit_entry SET target = 'rule 4' WHERE position = 3")
    sql("UPDATE audit_entry SET target = 'rule 2' WHERE position = 7")
    assert found() == (Kind.CHANGED, 3)


def test_two_outcomes_that_change_places():
    for old, new in ((4, -1), (8, 4), (-1, 8)):
        sql("UPDATE audit_outcome SET position = %s WHERE position = %s", new, old)
    assert found() == (Kind.REORDERED, 4)


def test_outcomes_that_change_entries():
    steps = ((3, -1), (7, 3), (-1, 7))
    sql(
        ";".join(
            f"UPDATE audit_outcome SET entry_id = {new} WHERE entry_id = {old}"
            for old, new in steps
        )
    )
    assert found() == (Kind.CHANGED, 4)


@pytest.mark.parametrize(
    "change",
    ["position = 40", "position = 8", "link = mac", "mac = link", "key_id = '00000000'"],
)
def test_a_changed_head(change):
    sql(f"UPDATE audit_chain SET {change}")
    assert found() == (Kind.HEAD, 12)


def test_a_head_that_is_gone():
    sql("DELETE FROM audit_chain")
    assert found() == (Kind.HEAD, 12)
    make_history(1)
    assert found() is None


def test_what_is_wrong_first_is_what_is_told():
    sql("UPDATE audit_entry SET target = 'x' WHERE position IN (5, 9)")
    remove(7, 8)
    assert found() == (Kind.CHANGED, 5)
    assert verify().last_good.position == 4
