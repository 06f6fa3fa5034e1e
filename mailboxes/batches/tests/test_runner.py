"""Batches at work: to the end, in turn, and cancelled in between."""

from __future__ import annotations

import pytest

from audit.actions import Action
from audit.models import Entry
from mailboxes.batches import runner, services
from mailboxes.batches.models import BatchKind, BatchState, MailboxBatch, RowState
from mailboxes.batches.tests.helpers import (
    DOMAIN,
    HEADER,
    drain,
    passwords_work,
    start,
    states,
    table,
)
from mailboxes.models import Mailbox
from mailboxes.tests.factories import MailboxFactory
from purelymanage.core.context import acting_as, person
from purelymanage.core.errors import RefusedError
from purelymanage.deletions.models import PendingDeletion

pytestmark = pytest.mark.django_db
OWN = "A password; of my own"


def test_thirty_mailboxes_are_created_with_three_calls_each(admin, domain, purelymail):
    batch = start(admin, table(29) + f'own,{DOMAIN},"{OWN}"\n')
    drain()
    batch.refresh_from_db()
    assert batch.state == BatchState.DONE
    assert batch.ended_at
    assert states(batch) == {"done": 30}
    assert len(purelymail.state.users) == Mailbox.objects.count() == 30
    assert passwords_work(purelymail, batch)
    assert purelymail.state.verify_password(f"own@{DOMAIN}", OWN)
    assert sum(purelymail.calls.values()) == 30 * 3 + 1
    entries = Entry.objects.filter(action=Action.MAILBOX_CREATED)
    assert set(entries.values_list("actor_id", "outcome__result")) == {(admin.pk, "ok")}
    assert Entry.objects.get(action=Action.BATCH_STARTED).after == {
        "kind": "create",
        "mailboxes": 30,
    }


def test_a_password_from_the_file_is_erased_once_its_mailbox_is_there(admin, domain):
    batch = start(admin, f'{HEADER}own,{DOMAIN},"{OWN}"\nnew,{DOMAIN},\n')
    drain()
    assert [bool(row.password) for row in batch.rows.all()] == [False, True]


def test_only_the_good_lines_are_created(admin, domain, purelymail):
    batch = start(admin, table(2) + f"lea,other.example,\np00001,{DOMAIN},\n")
    drain()
    assert states(batch) == {"done": 2, "invalid": 2}
    assert len(purelymail.state.users) == 2


def test_all_or_nothing_with_a_bad_line_is_nothing(admin, domain, purelymail):
    with pytest.raises(RefusedError, match="all or nothing means nothing"):
        start(admin, table(2) + "lea,other.example,\n", all_or_nothing=True)
    drain()
    assert not purelymail.calls
    assert MailboxBatch.objects.get().is_preview


def test_all_or_nothing_creates_none_if_purelymail_has_one_of_them(admin, domain, purelymail):
    purelymail.state.add_user(f"p00002@{DOMAIN}")
    batch = start(admin, table(3), all_or_nothing=True)
    drain()
    batch.refresh_from_db()
    assert batch.is_stopped
    assert "1 mailbox exists at PurelyMail already, so nothing was created" in batch.stopped_because
    assert purelymail.calls["createUser"] == 0
    with acting_as(person(admin)):
        services.go_on(batch=batch)
    drain()
    assert states(batch) == {"done": 2, "skipped": 1}


def test_all_or_nothing_waits_for_a_person_when_one_is_refused(admin, domain, purelymail):
    batch = start(admin, table(3), all_or_nothing=True)
    batch.rows.filter(line=3).update(domain_name="gone.example")
    drain()
    batch.refresh_from_db()
    assert batch.is_stopped
    assert "p00002@gone.example could not be created, so nothing after it" in batch.stopped_because
    assert states(batch) == {"done": 1, "failed": 1, "ready": 1}
    with acting_as(person(admin)):
        services.go_on(batch=batch)
    drain()
    assert states(batch) == {"done": 2, "failed": 1}
    assert Entry.objects.get(action=Action.BATCH_CONTINUED).actor_id == admin.pk


def test_the_first_question_costs_the_same_however_long_the_file(
    admin, domain, purelymail, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr(runner, "SLICE_SECONDS", -1.0)
    start(admin, table(500))
    with django_assert_max_num_queries(25):
        runner.work()


def test_what_exists_outside_the_copy_is_skipped_without_a_call_each(admin, domain, purelymail):
    for number in range(1, 6):
        purelymail.state.add_user(f"p{number:05}@{DOMAIN}", password="an older password")
    batch = start(admin, table(6))
    drain()
    assert states(batch) == {"skipped": 5, "done": 1}
    assert purelymail.state.verify_password(f"p00001@{DOMAIN}", "an older password")
    assert sum(purelymail.calls.values()) == 1 + 3


def test_a_batch_cannot_be_started_twice_nor_discarded_once_it_runs(admin, domain):
    batch = start(admin, table(1))
    with pytest.raises(RefusedError):
        services.start(batch=batch)
    with pytest.raises(RefusedError):
        services.discard(batch=batch)
    with pytest.raises(RefusedError, match="nothing to do"):
        start(admin, f"{HEADER}lea,other.example,\n")


def test_batches_take_turns_slice_by_slice(admin, domain, monkeypatch):
    long, short = start(admin, table(40)), start(admin, f"{HEADER}lea,{DOMAIN},\n")
    monkeypatch.setattr(runner, "SLICE_SECONDS", 0.01)
    for _round in range(6):
        runner.work()
    short.refresh_from_db()
    assert short.state == BatchState.DONE
    assert states(long)["ready"] > 20


def test_cancelling_stops_after_the_row_at_work(admin, domain, purelymail, monkeypatch):
    batch = start(admin, table(5))
    real = runner._settle

    def settle(held, row, *rest):
        real(held, row, *rest)
        if row.line == 3:
            services.cancel(batch=batch)

    monkeypatch.setattr(runner, "_settle", settle)
    drain()
    batch.refresh_from_db()
    assert (batch.state, batch.resume_at, batch.holder) == (BatchState.CANCELLED, None, None)
    assert states(batch) == {"done": 2, "skipped": 3}
    assert len(purelymail.state.users) == 2
    assert not batch.rows.filter(state="skipped").exclude(password="").exists()
    assert batch.rows.filter(state="done").exclude(password="").count() == 2


def selected(admin, kind, *addresses):
    with acting_as(person(admin, address="192.0.2.7")):
        batch = services.preview_selection(
            kind=kind, mailboxes=Mailbox.objects.filter(address__in=addresses)
        )
        services.start(batch=batch)
    return batch


def test_a_selection_is_scheduled_for_deletion_by_the_person_who_asked(admin, domain, purelymail):
    addresses = [f"p{number}@{DOMAIN}" for number in range(12)]
    for address in addresses:
        MailboxFactory(address=address, domain=domain)
    batch = selected(admin, BatchKind.DELETE, *addresses)
    drain()
    assert states(batch) == {"done": 12}
    pending = PendingDeletion.objects.all()
    assert {deletion.key for deletion in pending} == set(addresses)
    assert {deletion.requested_by_id for deletion in pending} == {admin.pk}
    entries = Entry.objects.filter(action=Action.DELETION_SCHEDULED, actor=admin)
    assert set(entries.values_list("address", flat=True)) == {"192.0.2.7"}
    again = selected_again(admin, addresses)
    assert states(again) == {"skipped": 12}


def selected_again(admin, addresses):
    with acting_as(person(admin)):
        return services.preview_selection(
            kind=BatchKind.DELETE, mailboxes=Mailbox.objects.filter(address__in=addresses)
        )


def test_a_second_factor_is_required_and_who_could_be_locked_out_is_named(
    admin, domain, purelymail
):
    for name in ("lea", "ben"):
        purelymail.state.add_user(f"{name}@{DOMAIN}")
        MailboxFactory(address=f"{name}@{DOMAIN}", domain=domain)
    purelymail.state.users[f"ben@{DOMAIN}"].add_method("email", "ben@home.example")
    gone = MailboxFactory(address=f"gone@{DOMAIN}", domain=domain)
    batch = selected(admin, BatchKind.REQUIRE_2FA, f"lea@{DOMAIN}", f"ben@{DOMAIN}", gone.address)
    drain()
    rows = {row.local_part: row for row in batch.rows.all()}
    assert rows["ben"].message == ""
    assert rows["lea"].message == "No recovery method."
    assert rows["gone"].state == RowState.FAILED
    assert all(user.require_two_factor for user in purelymail.state.users.values())
