from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from purelymanage.jobs.clock import seconds_from_now
from purelymanage.jobs.locks import only_one, prolong
from purelymanage.jobs.models import TaskLock

LATER = timedelta(seconds=500)


@pytest.mark.django_db
def test_a_lock_is_held_by_one_and_given_back():
    with only_one("copy", seconds=60) as alone:
        assert alone
        with only_one("copy", seconds=60) as also:
            assert not also
        with only_one("other", seconds=60) as another:
            assert another
    with only_one("copy", seconds=60) as again:
        assert again
    assert not TaskLock.objects.exists()


@pytest.mark.django_db
def test_a_dead_holder_loses_its_lock_and_cannot_release_the_next_ones():
    with only_one("copy", seconds=-1) as first:
        assert first
        with only_one("copy", seconds=60) as second:
            assert second
            holder = TaskLock.objects.get().holder
            with only_one("copy", seconds=60) as third:
                assert not third
            assert TaskLock.objects.get().holder == holder


@pytest.mark.django_db
def test_only_its_holder_holds_it_for_longer():
    with only_one("copy", seconds=60):
        assert prolong("copy", seconds=600)
        assert TaskLock.objects.get().held_until > timezone.now() + LATER
        TaskLock.objects.update(holder=uuid.uuid4(), held_until=seconds_from_now(60))
        assert not prolong("copy", seconds=600), "somebody else has it"
        assert TaskLock.objects.get().held_until < timezone.now() + LATER


@pytest.mark.django_db
def test_an_error_inside_gives_the_lock_back():
    with pytest.raises(RuntimeError), only_one("copy", seconds=60):
        raise RuntimeError
    assert not TaskLock.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_wins():
    start = threading.Barrier(8)
    end = threading.Barrier(8)
    winners = []

    def compete() -> None:
        try:
            start.wait()
            with only_one("copy", seconds=60) as alone:
                winners.append(alone)
                end.wait()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=compete) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(winners) == [False] * 7 + [True]
