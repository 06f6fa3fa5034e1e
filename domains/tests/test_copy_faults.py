"""Every reading operation with every fault: the copy keeps its rows and says the truth."""

from __future__ import annotations

from typing import get_args

import pytest
from django.db.models import F

from audit.models import Entry
from domains import copy
from domains.models import CreditReading, Domain, Kind, PurelyMailAccount, SyncState
from domains.tasks import refresh_all
from mailboxes.models import Mailbox
from purelymanage.core.errors import PurelyManageError
from purelymanage.purelymail.client import PATIENCE
from purelymanage.purelymail.simulator.faults import Kind as FaultKind
from routing.models import RoutingRule

pytestmark = pytest.mark.django_db

OPERATIONS = {
    "listDomains": Kind.DOMAINS,
    "listUser": Kind.MAILBOXES,
    "listRoutingRules": Kind.RULES,
    "checkAccountCredit": Kind.CREDIT,
    "getOwnershipCode": Kind.OWNERSHIP,
}
HARMLESS = {"latency"}
REFUSALS = {"invalid_token"}


def rows():
    facts = [
        list(model.objects.order_by("pk").values()) for model in (Domain, Mailbox, RoutingRule)
    ]
    codes = list(PurelyMailAccount.objects.values_list("ownership_code"))
    return [*facts, codes, list(CreditReading.objects.values("credit"))]


@pytest.mark.parametrize("fault", get_args(FaultKind))
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_fault_while_reading_loses_nothing_and_is_told(account, operation, fault):
    refresh_all()
    kind = OPERATIONS[operation]
    before, synced_at = rows(), SyncState.objects.get(pk=kind).synced_at
    seconds = 0.02 if fault in HARMLESS else 0.4
    account.fault(operation, fault, times=None, seconds=seconds)
    if fault.startswith("timeout"):
        account.give_up_after(0.15)
    result = copy.refresh([kind])[kind]
    state = SyncState.objects.get(pk=kind)
    if fault in HARMLESS:
        assert isinstance(result, copy.Changes)
        assert state.synced_at > synced_at
        return
    assert isinstance(result, PurelyManageError)
    assert rows() == before
    assert state.synced_at == synced_at, "the copy is as old as it says"
    assert state.error == str(result)
    assert state.is_outage == (fault not in REFUSALS)
    since = state.failed_since
    copy.refresh([kind])
    state.refresh_from_db()
    assert state.failed_since == since, "still the beginning of the outage"
    assert not SyncState.objects.exclude(pk=kind).filter(failed_since__isnull=False).exists()
    account.up()
    account.give_up_after(PATIENCE.timeout)
    assert isinstance(copy.refresh([kind])[kind], copy.Changes)
    state.refresh_from_db()
    assert (state.failed_since, state.error, state.is_outage) == (None, "", False)
    assert state.synced_at > since
    assert rows()[:4] == before[:4]
    assert not Entry.objects.exists(), "nothing vanished and came back"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_first_fill_recovers_from_a_fault_too(account, operation):
    account.fault(operation, "drop_before", times=None)
    refresh_all()
    kind = OPERATIONS[operation]
    assert SyncState.objects.get(pk=kind).synced_at is None
    account.up()
    refresh_all()
    assert not SyncState.objects.exclude(synced_at=F("tried_at")).exists()
    assert Mailbox.objects.count() == 1
    assert not Entry.objects.exists()
