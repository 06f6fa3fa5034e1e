"""What others change is put on record as theirs, and what the panel did never is."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import OperationalError
from django.utils import timezone

from audit.actions import Action
from audit.models import Entry
from audit.services import audited, record
from domains import copy
from domains.drift import found_drift
from domains.models import Domain, Kind, SyncState
from domains.services import refresh_domains
from domains.tasks import refresh_all
from mailboxes.models import Mailbox
from mailboxes.services import create_mailbox
from purelymanage.core.errors import RefusedError, UnavailableError

pytestmark = pytest.mark.django_db


def drift():
    return [
        (entry.action, entry.target)
        for entry in Entry.objects.filter(action__startswith="purelymail.").order_by("pk")
    ]


def test_what_changes_outside_the_panel_is_copied_and_put_on_record(account):
    refresh_all()
    account.state.add_domain("new.example")
    account.state.add_user("new@shop.example")
    account.state.domains["lindenhof.example"].allow_account_reset = False
    del account.state.users["mara@lindenhof.example"]
    rule = next(iter(account.state.rules.values()))
    rule.targets = ["new@shop.example"]
    refresh_all()
    assert Mailbox.objects.get().address == "new@shop.example"
    assert drift() == [
        (Action.DRIFT_APPEARED, "new.example"),
        (Action.DRIFT_FOUND, "lindenhof.example"),
        (Action.DRIFT_APPEARED, "new@shop.example"),
        (Action.DRIFT_VANISHED, "mara@lindenhof.example"),
        (Action.DRIFT_FOUND, "info@lindenhof.example"),
    ]
    changed = Entry.objects.get(target="info@lindenhof.example")
    assert changed.before == {"targets": ["mara@lindenhof.example"]}
    assert changed.after == {"kind": "rules", "targets": ["new@shop.example"]}
    assert changed.actor_name == "system"
    assert "changed outside the panel" in changed.sentence


def test_a_changed_dns_verdict_is_copied_but_is_no_drift(account):
    refresh_domains()
    account.state.domains["shop.example"].seen.spf = True
    refresh_domains()
    assert Domain.objects.get(name="shop.example").failing == []
    assert drift() == []


def create_and_lose_the_row(monkeypatch):
    """The whole of our creation, but the database goes away before the row."""
    domain = Domain.objects.get(name="lindenhof.example")

    def gone(**_facts):
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(Mailbox.objects, "get_or_create", gone)
    with pytest.raises(OperationalError):
        create_mailbox(local_part="new", domain=domain, password="correct horse battery")


def create_and_die(account):
    """The process is killed between PurelyMail's answer and our row: no outcome is on record."""
    Entry.objects.create(action=Action.MAILBOX_CREATED, target="new@lindenhof.example")
    account.client.create_user(
        local_part="new",
        domain="lindenhof.example",
        password="correct horse battery",
        send_welcome_email=False,
        enable_password_reset=False,
    )


@pytest.mark.parametrize("is_killed", [True, False])
def test_our_own_change_cut_short_is_adopted_and_not_told_as_somebody_elses(
    account, monkeypatch, is_killed
):
    refresh_all()
    with monkeypatch.context() as patch:
        create_and_die(account) if is_killed else create_and_lose_the_row(patch)
    assert not Mailbox.objects.filter(address="new@lindenhof.example").exists()
    account.state.add_user("theirs@lindenhof.example")
    refresh_all()
    assert Mailbox.objects.filter(address="new@lindenhof.example").exists()
    assert drift() == [(Action.DRIFT_APPEARED, "theirs@lindenhof.example")]


def test_a_rename_cut_short_tells_neither_the_old_nor_the_new_address(account):
    refresh_all()
    Entry.objects.create(
        action=Action.MAILBOX_RENAMED,
        target="mara@lindenhof.example",
        after={"address": "mara.neu@lindenhof.example"},
    )
    account.state.users["mara.neu@lindenhof.example"] = account.state.users.pop(
        "mara@lindenhof.example"
    )
    refresh_all()
    assert Mailbox.objects.get().address == "mara.neu@lindenhof.example"
    assert drift() == []


def test_a_change_of_unknown_outcome_is_ours_also_after_a_long_outage(account):
    refresh_all()
    with (
        pytest.raises(UnavailableError),
        audited(Action.MAILBOX_CREATED, target="new@lindenhof.example"),
    ):
        raise UnavailableError("It is not known whether it was created.")
    account.state.add_user("new@lindenhof.example")
    with time_machine.travel(timezone.now() + timedelta(hours=5)):
        refresh_all()
    assert Mailbox.objects.filter(address="new@lindenhof.example").exists()
    assert drift() == []


def test_what_others_do_after_our_own_change_went_well_is_theirs(account):
    refresh_all()
    with audited(Action.MAILBOX_PASSWORD_RESET, target="mara@lindenhof.example"):
        pass
    del account.state.users["mara@lindenhof.example"]
    account.state.add_user("other@lindenhof.example")
    refresh_all()
    assert (Action.DRIFT_VANISHED, "mara@lindenhof.example") in drift()


def test_what_we_were_refused_because_others_made_it_is_theirs(account):
    refresh_all()
    account.state.add_user("taken@lindenhof.example")
    domain = Domain.objects.get(name="lindenhof.example")
    with pytest.raises(RefusedError):
        create_mailbox(local_part="taken", domain=domain, password="correct horse battery")
    refresh_all()
    assert drift() == [(Action.DRIFT_APPEARED, "taken@lindenhof.example")]


def test_our_unfinished_change_of_long_ago_explains_nothing_now(account):
    refresh_all()
    Entry.objects.create(action=Action.MAILBOX_CREATED, target="new@lindenhof.example")
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        refresh_all()
    account.state.add_user("new@lindenhof.example")
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        refresh_all()
    assert drift() == [(Action.DRIFT_APPEARED, "new@lindenhof.example")]


def test_many_differences_ask_the_audit_log_once(account, django_assert_max_num_queries):
    refresh_all()
    record(Action.SIGNED_OUT)  # the first entry of all looks for one before it
    for number in range(30):
        account.state.add_user(f"person{number}@lindenhof.example")
    with django_assert_max_num_queries(500) as queries:
        copy.refresh([Kind.MAILBOXES])
    asked = [q for q in queries if q["sql"].startswith("SELECT") and "audit_entry" in q["sql"]]
    assert len(asked) == 1
    assert len(drift()) == 30
    assert SyncState.objects.get(pk=Kind.MAILBOXES).failed_since is None


@pytest.mark.parametrize("began", ["lea@xn--bcher-kva.example", "lea@bücher.example"])
def test_what_the_panel_began_is_its_own_in_both_forms_of_the_domain(began):
    Entry.objects.create(
        action=Action.MAILBOX_RENAMED, target="old@bücher.example", after={"address": began}
    )
    added = [Mailbox(address="lea@xn--bcher-kva.example"), Mailbox(address="x@lindenhof.example")]
    found = found_drift(
        "mailboxes",
        since=timezone.now(),
        added=added,
        changed=[],
        removed=[Mailbox(address="old@xn--bcher-kva.example")],
        watched=(),
        hanging=lambda _row: {},
    )
    assert [one.target for one in found] == ["x@lindenhof.example"]


def test_a_domain_that_vanished_is_told_with_all_that_hung_on_it(account):
    refresh_all()
    del account.state.domains["lindenhof.example"]
    refresh_domains()
    assert not Mailbox.objects.exists()
    assert drift() == [(Action.DRIFT_VANISHED, "lindenhof.example")]
    told = Entry.objects.get(action=Action.DRIFT_VANISHED).before
    assert told["Mailboxes"] == ["mara@lindenhof.example"]
    assert told["Routing rules"] == ["info@lindenhof.example"]
