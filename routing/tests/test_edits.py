"""Changing a rule, with PurelyMail at its best and worst: no rule twice, none lost."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from audit.actions import Action
from audit.models import Entry, Outcome
from domains.copy import refresh
from domains.models import Kind, SyncState
from purelymanage.core.errors import PurelyManageError, RefusedError, UnavailableError
from purelymanage.deletions.models import DeletionKind
from purelymanage.deletions.services import schedule_deletion
from purelymanage.purelymail.errors import UnknownOutcomeError
from purelymanage.purelymail.simulator import faults
from purelymanage.purelymail.testing import on_the_wire
from routing import services
from routing.models import RoutingRule, RuleEdit
from routing.picture import as_rule
from routing.services import exchange
from routing.services.exchange import UnfinishedError

pytestmark = pytest.mark.django_db
OURS = "ours.example"
OLD, NEW = [f"lea@{OURS}"], [f"max@{OURS}", "far@else.example"]
SAME_KEY = {"targets": tuple(NEW)}
OTHER_KEY = {"match_user": "verkauf"}
CHANGES = {"same key": SAME_KEY, "other key": OTHER_KEY}


@pytest.fixture
def rule(purelymail):
    purelymail.state.add_domain(OURS)
    purelymail.state.add_rule(OURS, "sales", *OLD)
    refresh([Kind.DOMAINS, Kind.RULES])
    return RoutingRule.objects.get()


def edit(rule, **changes):
    return services.edit_rule(rule=rule, draft=replace(as_rule(rule), **changes))


def there(purelymail):
    """What stands at PurelyMail."""
    return sorted((r.match_user, sorted(r.targets)) for r in purelymail.state.rules.values())


def copied():
    return sorted((r.match_user, sorted(r.targets)) for r in RoutingRule.objects.all())


def break_down(purelymail, operation, kind, **more):
    """A late answer comes in time; the kinds of time-out come too late."""
    if kind.startswith("timeout"):  # any other must not come too late on a busy machine
        purelymail.give_up_after(0.2)
    seconds = 0.02 if kind == "latency" else 0.3
    purelymail.fault(operation, kind, seconds=seconds, retry_after=0.01, **more)


def has_changed_nothing(purelymail):
    calls = purelymail.calls
    return not calls["createRoutingRule"] and not calls["deleteRoutingRule"]


def wanted(changes):
    return [(changes.get("match_user", "sales"), sorted(changes.get("targets", OLD)))]


BEFORE = [("sales", OLD)]


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_an_edit_leaves_the_new_rule_alone_in_the_same_row(purelymail, rule, changes):
    changed = edit(rule, **changes)
    assert there(purelymail) == copied() == wanted(changes)
    assert changed.pk == rule.pk
    assert changed.purelymail_id in purelymail.state.rules
    assert not RuleEdit.objects.exists()
    entry = Entry.objects.get(action=Action.RULE_CHANGED)
    assert (entry.target, entry.outcome.result) == (f"sales@{OURS}", Outcome.Result.OK)
    assert (entry.before["targets"], entry.before["match_user"]) == (OLD, "sales")
    assert purelymail.calls["createRoutingRule"] == purelymail.calls["deleteRoutingRule"] == 1


def test_a_rule_with_another_address_exists_before_the_old_one_goes(purelymail, rule):
    purelymail.fault("createRoutingRule", "http_500")
    with pytest.raises(UnavailableError, match="Nothing was changed"):
        edit(rule, **OTHER_KEY)
    assert not purelymail.calls["deleteRoutingRule"]


def test_our_own_edit_is_no_drift(purelymail, rule):
    edit(rule, **OTHER_KEY)
    refresh([Kind.RULES])
    assert not Entry.objects.filter(action__startswith="purelymail.").exists()
    assert SyncState.objects.get(name=Kind.RULES).changed_at


@pytest.mark.parametrize("at", ["createRoutingRule", "deleteRoutingRule", "listRoutingRules"])
@pytest.mark.parametrize("kind", on_the_wire(get_args(faults.Kind)))
@pytest.mark.parametrize("times", [1, None], ids=["once", "for good"])
@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_whatever_fails_no_rule_is_lost_or_doubled(purelymail, rule, changes, at, kind, times):
    break_down(purelymail, at, kind, times=times)
    try:
        edit(rule, **changes)
    except UnfinishedError:
        problem = RuleEdit.objects.get().problem
        assert "goes on by itself" in problem
    except PurelyManageError:
        assert there(purelymail) == copied() == BEFORE
        assert not RuleEdit.objects.exists()
    else:
        assert there(purelymail) == copied() == wanted(changes)
        assert not RuleEdit.objects.exists()
    assert len(there(purelymail)) <= 2
    purelymail.up()
    services.finish_edits()
    assert there(purelymail) in (BEFORE, wanted(changes))
    assert copied() == there(purelymail)
    assert not RuleEdit.objects.exists()
    refresh([Kind.RULES])
    assert copied() == there(purelymail)


@pytest.mark.parametrize("kind", on_the_wire(get_args(faults.Kind)))
@pytest.mark.parametrize("at", ["createRoutingRule", "listRoutingRules"])
def test_whatever_fails_a_new_rule_is_there_once_or_not_at_all(purelymail, rule, at, kind):
    break_down(purelymail, at, kind)
    draft = replace(as_rule(rule), match_user="info", pk=0)
    try:
        services.create_rule(draft=draft)
    except PurelyManageError:
        expected = BEFORE
    else:
        expected = [("info", OLD), *BEFORE]
    if at == "createRoutingRule":
        assert there(purelymail) == copied() == expected
    purelymail.up()
    refresh([Kind.RULES])
    assert copied() == there(purelymail)


class Crash(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["create_routing_rule", "delete_routing_rule"])
@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_an_edit_cut_short_is_brought_to_its_end_once(
    purelymail, rule, monkeypatch, changes, call, when
):
    original = getattr(purelymail.client, call)

    def dies(**fields):
        if when == "after":
            original(**fields)
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(purelymail.client, call, dies)
        with pytest.raises(Crash):
            edit(rule, **changes)
    assert RuleEdit.objects.exists()
    services.finish_edits()
    services.finish_edits()
    assert there(purelymail) == copied() == wanted(changes)
    assert not RuleEdit.objects.exists()
    finished = Entry.objects.filter(action=Action.RULE_CHANGED).latest("pk")
    assert (finished.actor_name, finished.outcome.result) == ("system", Outcome.Result.OK)


def test_a_refresh_amid_an_edit_takes_neither_rule_for_a_strangers(purelymail, rule, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(purelymail.client, "delete_routing_rule", _dies)
        with pytest.raises(Crash):
            edit(rule, **OTHER_KEY)
    refresh([Kind.RULES])
    assert len(copied()) == 2
    services.finish_edits()
    refresh([Kind.RULES])
    assert copied() == wanted(OTHER_KEY)
    assert not Entry.objects.filter(action__startswith="purelymail.").exists()


def test_an_edit_whose_taking_back_is_unknown_says_so_once(purelymail, rule, monkeypatch):
    calls = []

    def fails_then_dies(*, rule_id):
        calls.append(rule_id)
        raise UnavailableError("No.") if len(calls) == 1 else UnknownOutcomeError("Who knows?")

    monkeypatch.setattr(purelymail.client, "delete_routing_rule", fails_then_dies)
    with pytest.raises(UnfinishedError) as unfinished:
        edit(rule, **OTHER_KEY)
    said = unfinished.value.message
    assert said.count("is not at its end") == 1
    assert "It is not known which of the two rules" in said


def test_an_outage_in_the_middle_is_told_and_ended_later(purelymail, rule):
    purelymail.fault("createRoutingRule", "drop_before", times=None)
    with pytest.raises(UnfinishedError, match="Neither rule stands at the moment"):
        edit(rule, **SAME_KEY)
    assert there(purelymail) == copied() == []
    services.finish_edits()
    assert RuleEdit.objects.exists(), "still no answer"
    purelymail.up()
    services.finish_edits()
    assert there(purelymail) == copied() == wanted(SAME_KEY)


def test_while_purelymail_is_down_the_task_writes_no_record_and_keeps_the_journal(purelymail, rule):
    purelymail.fault("createRoutingRule", "drop_before", times=None)
    with pytest.raises(UnfinishedError):
        edit(rule, **SAME_KEY)
    entries = Entry.objects.count()
    purelymail.down()
    services.finish_edits()
    assert RuleEdit.objects.exists()
    assert Entry.objects.count() == entries


def test_an_edit_purelymail_refuses_half_way_puts_the_old_rule_back(purelymail, rule):
    purelymail.fault("createRoutingRule", "invalid_token")
    with pytest.raises(RefusedError, match=r"the old one was put back: sales@ours\.example goes"):
        edit(rule, **SAME_KEY)
    assert there(purelymail) == copied() == BEFORE
    assert RoutingRule.objects.get().pk == rule.pk


def test_where_the_old_rule_cannot_go_the_new_one_is_taken_back(purelymail, rule):
    purelymail.fault("deleteRoutingRule", "http_500")
    with pytest.raises(UnavailableError, match="the new one was taken back"):
        edit(rule, **OTHER_KEY)
    assert there(purelymail) == copied() == BEFORE


def test_a_number_used_for_another_rule_meanwhile_is_never_deleted(purelymail, rule, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(purelymail.client, "delete_routing_rule", _dies)
        with pytest.raises(Crash):
            edit(rule, **OTHER_KEY)
    stranger = purelymail.state.rules[rule.purelymail_id]
    stranger.match_user = "billing"
    services.finish_edits()
    assert there(purelymail) == [("billing", OLD), ("verkauf", OLD)]
    assert not purelymail.calls["deleteRoutingRule"]
    assert copied() == there(purelymail)


def _dies(**fields):
    raise Crash


def test_a_stranger_who_takes_the_address_meanwhile_is_left_alone(purelymail, rule, monkeypatch):
    create = purelymail.client.create_routing_rule

    def too_late(**fields):
        if not purelymail.state.rules:
            purelymail.state.add_rule(OURS, "sales", "stranger@else.example")
        return create(**fields)

    monkeypatch.setattr(purelymail.client, "create_routing_rule", too_late)
    with pytest.raises(RefusedError, match="somebody made another rule"):
        edit(rule, **SAME_KEY)
    assert there(purelymail) == [("sales", ["stranger@else.example"])]
    assert not RuleEdit.objects.exists()


def test_a_rule_changed_outside_the_panel_is_not_edited(purelymail, rule):
    purelymail.state.rules[rule.purelymail_id].targets = ["other@else.example"]
    with pytest.raises(RefusedError, match="outside the panel"):
        edit(rule, **SAME_KEY)
    assert there(purelymail) == copied() == [("sales", ["other@else.example"])]


def test_of_two_admins_the_second_is_refused_without_a_call(purelymail, rule, admin):
    RuleEdit.objects.create(
        domain=rule.domain, old_id=rule.purelymail_id, old={}, new={}, started_by=admin
    )
    with pytest.raises(RefusedError, match="Adam is changing the rule"):
        edit(rule, **SAME_KEY)
    assert has_changed_nothing(purelymail)


def test_a_second_edit_in_the_middle_of_the_first_changes_nothing(purelymail, rule, monkeypatch):
    create = purelymail.client.create_routing_rule
    refused = []

    def interrupted(**fields):
        services.finish_edits()
        with pytest.raises(RefusedError) as refusal:
            edit(rule, targets=("third@else.example",))
        refused.append(refusal)
        return create(**fields)

    monkeypatch.setattr(purelymail.client, "create_routing_rule", interrupted)
    edit(rule, **SAME_KEY)
    assert len(refused) == 1
    assert there(purelymail) == copied() == wanted(SAME_KEY)


def test_the_rule_that_an_unfinished_edit_leads_to_waits_for_its_end(purelymail, rule, monkeypatch):
    def nobody_knows(_exchange, _remote):
        raise UnfinishedError("It is not known which of the two rules PurelyMail has now.")

    with monkeypatch.context() as patch:
        patch.setattr(exchange.Exchange, "_delete", nobody_knows)
        with pytest.raises(UnfinishedError):
            edit(rule, **OTHER_KEY)
    with pytest.raises(RefusedError, match="not at its end yet"):
        edit(RoutingRule.objects.get(match_user="verkauf"), **SAME_KEY)
    services.finish_edits()
    assert there(purelymail) == copied() == wanted(OTHER_KEY)


def test_a_pending_deletion_blocks_the_edit(purelymail, rule):
    schedule_deletion(kind=DeletionKind.RULE, key=str(rule.purelymail_id))
    with pytest.raises(RefusedError, match="Cancel it before you edit"):
        edit(rule, **SAME_KEY)
    assert has_changed_nothing(purelymail)


def test_an_edit_without_a_difference_makes_no_call(purelymail, rule):
    with pytest.raises(RefusedError, match="Nothing is different"):
        edit(rule)
    assert has_changed_nothing(purelymail)


def test_a_slow_purelymail_leaves_the_rest_to_the_task(purelymail, rule, monkeypatch):
    delete = purelymail.client.delete_routing_rule

    def slowly(**fields):
        delete(**fields)
        patched.setattr(exchange, "LAST_START", -1.0)

    with monkeypatch.context() as patched:
        patched.setattr(purelymail.client, "delete_routing_rule", slowly)
        with pytest.raises(UnfinishedError, match=r"Neither rule stands.*too slowly"):
            edit(rule, **SAME_KEY)
    services.finish_edits()
    assert there(purelymail) == copied() == wanted(SAME_KEY)
