"""What each line of a file comes to, before anything happens."""

from __future__ import annotations

import time

import pytest
from django.db import connection
from django.utils import timezone

from domains.tests.factories import DomainFactory
from mailboxes.batches.models import MailboxBatch, MailboxBatchRow
from mailboxes.batches.tests.helpers import DOMAIN, HEADER, preview, states, table
from mailboxes.tests.factories import MailboxFactory
from purelymanage.core.errors import InvalidError
from purelymanage.core.tables import FORMULA
from purelymanage.deletions.models import DeletionKind, DeletionState, PendingDeletion

pytestmark = pytest.mark.django_db
PASSWORD = "Tr0ub4dor;3=x"


def only_row(admin, line: str) -> MailboxBatchRow:
    filler = f"\nzz,{DOMAIN},"
    return preview(admin, HEADER + line + filler).rows.first()


@pytest.mark.parametrize(
    ("line", "address"),
    [
        (f" Lea.Brandt , {DOMAIN.upper()}. ,", f"lea.brandt@{DOMAIN}"),
        (f"lea,{DOMAIN},{PASSWORD}", f"lea@{DOMAIN}"),
        ("lea,Bücher.example,", "lea@xn--bcher-kva.example"),
        ("lea,xn--bcher-kva.example,", "lea@xn--bcher-kva.example"),
    ],
)
def test_a_good_line_is_written_in_the_one_form_addresses_have(admin, domain, line, address):
    DomainFactory(name="xn--bcher-kva.example")
    row = only_row(admin, line)
    assert (row.state, row.message, row.address) == ("ready", "", address)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f",{DOMAIN},", "local part is missing"),
        ("lea,,", "domain is missing"),
        (f"lea@{DOMAIN},{DOMAIN},", "before the @"),
        (f"le a,{DOMAIN},", "Use letters"),
        (f".lea,{DOMAIN},", "Use letters"),
        (f"=cmd|' /C calc'!A0,{DOMAIN},", "Use letters"),
        (f"{'x' * 65},{DOMAIN},", "up to 64"),
        ("lea,lindenhof,", "not a domain"),
        ("lea,other.example,", "other.example is not one of your domains"),
        ("lea,müller.example,", "müller.example is not one of your domains"),
        ("lea,purelymail.example,", "belongs to PurelyMail"),
        (f"{'x' * 64},{'a' * 60}.{'b' * 60}.{'c' * 60}.example,", "at most 254"),
        (f"lea,{'x' * 260}.example,", "not a domain"),
        (f"lea,{DOMAIN},short", "less than 8"),
        (f"lea,{DOMAIN},{'x' * 201}", "more than 200"),
        (f'lea,{DOMAIN},"two\nlines of it"', "line break"),
        (f"lea,{DOMAIN}, blank first", "begins or ends with a space"),
        (f"lea,{DOMAIN},a,b", "4 values instead of 3"),
        (f"lea,{DOMAIN}", "2 values instead of 3"),
    ],
)
def test_a_bad_line_says_what_is_wrong_and_keeps_no_password(admin, domain, line, words):
    DomainFactory(name="purelymail.example", is_shared=True)
    DomainFactory(name=f"{'a' * 60}.{'b' * 60}.{'c' * 60}.example")
    row = only_row(admin, line)
    assert row.state == "invalid"
    assert words in row.message
    assert not row.password


def test_a_doubled_address_names_the_other_line(admin, domain):
    rows = preview(admin, f"{HEADER}lea,{DOMAIN},\nben,{DOMAIN},\nLEA,{DOMAIN}.,\n").rows.all()
    assert [row.state for row in rows] == ["ready", "ready", "invalid"]
    assert rows[2].message == "The same address stands in line 2."


def test_an_existing_mailbox_is_left_as_it_is(admin, domain):
    MailboxFactory(address=f"lea@{DOMAIN}", domain=domain)
    MailboxFactory(address=f"ben@{DOMAIN}", domain=domain)
    PendingDeletion.objects.create(
        kind=DeletionKind.MAILBOX,
        key=f"ben@{DOMAIN}",
        state=DeletionState.PENDING,
        due_at=timezone.now(),
    )
    rows = preview(admin, f"{HEADER}lea,{DOMAIN},{PASSWORD}\nben,{DOMAIN},\n").rows.all()
    assert [row.state for row in rows] == ["skipped", "skipped"]
    assert "exists already" in rows[0].message
    assert "deletion is due" in rows[1].message
    assert not rows[0].password


def test_an_empty_password_is_generated_and_never_begins_like_a_formula(admin, domain):
    rows = preview(admin, table(400)).rows.all()
    passwords = [row.password.reveal() for row in rows]
    assert all(row.is_generated for row in rows)
    assert {len(password) for password in passwords} == {20}
    assert len(set(passwords)) == 400
    assert not any(password.startswith(FORMULA) for password in passwords)


def test_a_given_password_is_taken_letter_by_letter_and_stored_encrypted(admin, domain):
    row = only_row(admin, f"lea,{DOMAIN},{PASSWORD}")
    assert row.password.reveal() == PASSWORD
    assert not row.is_generated
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM mailboxes_mailboxbatchrow")
        assert PASSWORD not in repr(cursor.fetchall())


def test_a_file_whose_columns_are_mixed_up_is_refused_before_its_passwords_are_stored(
    admin, domain
):
    with pytest.raises(InvalidError, match="column domain"):
        preview(admin, f"lea,Tr0ub4dor,{DOMAIN}\nben,Sup3rS3cret,{DOMAIN}\n")
    assert not MailboxBatch.objects.exists()


def test_ten_thousand_lines_are_judged_in_seconds_with_few_queries(
    admin, domain, django_assert_max_num_queries
):
    lines = [f"p{number:05};{DOMAIN};" for number in range(10_000)]
    lines[17], lines[5000] = f"p00001;{DOMAIN};", "x;other.example;"
    started = time.process_time()
    with django_assert_max_num_queries(130):
        batch = preview(admin, "local_part;domain;password\n" + "\n".join(lines))
    assert states(batch) == {"ready": 9_998, "invalid": 2}
    assert time.process_time() - started < 15
