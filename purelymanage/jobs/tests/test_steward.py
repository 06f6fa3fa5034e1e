from __future__ import annotations

import threading
import time

import pytest
from django.db import OperationalError, connections
from django.db.models.functions import Now
from django_q.models import OrmQ

import purelymanage
from purelymanage.jobs import registry, steward
from purelymanage.jobs.health import seconds_since_worker_seen
from purelymanage.jobs.models import WorkerHost
from purelymanage.jobs.steward import Steward
from purelymanage.jobs.tasks import answer_canary

pytestmark = pytest.mark.django_db


@pytest.fixture
def stuck() -> list[str]:
    return []


@pytest.fixture
def keeper(stuck, monkeypatch) -> Steward:
    monkeypatch.setattr(registry, "_upkeep", [])
    monkeypatch.setattr(registry, "_kept_waiting", [])
    return Steward("a:1", capacity=4, on_stuck=stuck.append)


def test_a_round_shows_presence_and_does_the_chores(keeper):
    done = []
    registry.register_upkeep(lambda: done.append("chore"))
    assert seconds_since_worker_seen() is None
    keeper._try_round()
    row = WorkerHost.objects.get()
    assert (row.name, row.capacity, row.is_draining) == ("a:1", 4, False)
    assert row.version == purelymanage.__version__
    assert done == ["chore"]
    assert 0 <= seconds_since_worker_seen() < 5


def test_canaries_are_sent_now_and_then_and_do_not_pile_up(
    keeper, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(steward, "CANARY_SECONDS", 0.0)
    for _ in range(steward.MOST_CANARIES + 10):
        with django_capture_on_commit_callbacks(execute=True):
            keeper._try_round()
    assert OrmQ.objects.filter(key="app").count() == steward.MOST_CANARIES


def test_an_app_cluster_that_answers_is_left_alone_and_one_that_does_not_is_stuck(
    keeper, stuck, settings, monkeypatch
):
    clock = time.monotonic()
    monkeypatch.setattr("purelymanage.jobs.steward.time.monotonic", lambda: clock)
    settings.WORKER_HOST = "a:1"
    keeper._try_round()
    for answers, expected in ((True, []), (False, []), (False, []), (False, ["app"])):
        if answers:
            answer_canary()
        clock += steward.APP_STUCK_SECONDS * 0.4
        keeper._try_round()
        assert stuck == expected


def test_a_canary_answers_for_its_own_host_alone(keeper, settings):
    WorkerHost.objects.create(name="b:1", started_at=Now(), seen_at=Now())
    keeper._try_round()
    settings.WORKER_HOST = "b:1"
    answer_canary()
    assert WorkerHost.objects.get(name="a:1").app_answered_at is None
    assert WorkerHost.objects.get(name="b:1").app_answered_at is not None


def test_a_sync_cluster_is_stuck_only_if_work_waits_all_the_time(keeper, stuck, monkeypatch):
    monkeypatch.setattr(steward, "APP_STUCK_SECONDS", 3600)
    clock = time.monotonic()
    monkeypatch.setattr("purelymanage.jobs.steward.time.monotonic", lambda: clock)
    answers = iter([True, False, True, True])
    registry.register_kept_waiting(lambda _host: next(answers))
    for expected in ([], [], [], ["sync"]):
        clock += steward.SYNC_STUCK_SECONDS * 0.7
        keeper._try_round()
        assert stuck == expected


def test_a_steward_that_was_frozen_itself_takes_nobody_for_stuck(keeper, stuck, monkeypatch):
    clock = time.monotonic()
    monkeypatch.setattr("purelymanage.jobs.steward.time.monotonic", lambda: clock)
    registry.register_kept_waiting(lambda _host: True)
    keeper._try_round()
    clock += 180
    keeper._try_round()
    assert stuck == []
    clock += 30
    keeper._try_round()
    clock += 35
    keeper._try_round()
    assert stuck == ["sync"]


def test_a_failing_chore_or_database_never_ends_the_rounds(keeper, monkeypatch):
    def fail(error):
        def chore():
            raise error

        return chore

    for error in (OperationalError("gone"), RuntimeError("bug")):
        monkeypatch.setattr(registry, "_upkeep", [fail(error)])
        monkeypatch.setattr(connections, "close_all", lambda: None)
        keeper._try_round()
    monkeypatch.setattr(registry, "_upkeep", [])
    keeper._try_round()
    assert WorkerHost.objects.exists()


def test_a_draining_host_says_so_and_does_no_chores(keeper):
    done = []
    registry.register_upkeep(lambda: done.append("chore"))
    keeper.drain(seconds=0)
    keeper._try_round()
    assert WorkerHost.objects.get().is_draining
    assert done == []
    keeper.resume()
    keeper._try_round()
    assert not WorkerHost.objects.get().is_draining
    assert done == ["chore"]


def test_a_host_that_a_person_drained_stays_so_and_keeps_up_its_chores(keeper):
    done = []
    registry.register_upkeep(lambda: done.append("chore"))
    keeper._try_round()
    WorkerHost.objects.update(drained_at=Now(), drained_by="Adam")
    keeper._try_round()
    assert WorkerHost.objects.get().drained_at
    assert done == ["chore", "chore"]


@pytest.mark.django_db(transaction=True)
def test_the_thread_comes_and_goes(keeper):
    keeper.start()
    give_up = time.monotonic() + 10
    while not WorkerHost.objects.exists() and time.monotonic() < give_up:
        time.sleep(0.02)
    started = time.monotonic()
    keeper.drain(seconds=5)
    assert time.monotonic() - started < 2
    assert WorkerHost.objects.get().is_draining
    keeper.end(seconds=5)
    assert not WorkerHost.objects.exists()
    assert "steward" not in [thread.name for thread in threading.enumerate()]
