"""Which parts of the copy are due, and what that costs."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from django_q.models import Schedule

from domains import copy
from domains.freshness import due
from domains.models import Domain, Kind, SyncState
from domains.services import change_settings
from domains.tasks import refresh_all, refresh_due
from domains.tests.factories import SyncStateFactory
from mailboxes.tests.factories import MailboxFactory
from purelymanage.jobs.schedules import install

pytestmark = pytest.mark.django_db
LISTS = {Kind.DOMAINS, Kind.MAILBOXES, Kind.RULES}
START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def ticks(hours):
    """What is refreshed in so many hours of ticks, none of which comes to the second."""
    refreshed = Counter()
    for number in range(int(hours * 12)):
        late = timedelta(seconds=number * 7 % 20)
        with time_machine.travel(START + number * timedelta(minutes=5) + late, tick=False):
            kinds = due()
            refreshed.update(kinds)
            now = timezone.now()
            SyncState.objects.filter(pk__in=kinds).update(tried_at=now, synced_at=now)
    return refreshed


@pytest.fixture
def filled():
    for kind in Kind:
        SyncStateFactory(name=kind, synced_at=START, tried_at=START)


def test_the_clock_ticks_every_five_minutes_and_reads_everything_at_two():
    install()
    rows = {row.func: row for row in Schedule.objects.filter(func__startswith="domains.tasks.")}
    assert rows["domains.tasks.refresh_due"].minutes == 5
    nightly = rows["domains.tasks.refresh_all"]
    assert nightly.minutes == 1440
    assert nightly.next_run.astimezone(UTC).strftime("%H:%M") == "02:00"
    assert nightly.next_run > timezone.now()


def test_a_new_panel_has_everything_due():
    assert due() == list(Kind)


def test_where_nobody_looks_an_hour_is_enough(filled):
    assert ticks(hours=6) == dict.fromkeys([*LISTS, Kind.CREDIT], 5)


def test_a_list_somebody_opened_is_refreshed_every_quarter_of_an_hour_for_an_hour(filled):
    SyncState.objects.filter(pk=Kind.MAILBOXES).update(viewed_at=START)
    refreshed = ticks(hours=2)
    assert refreshed[Kind.MAILBOXES] == 4
    assert refreshed[Kind.RULES] == 1


def test_after_a_change_of_ours_the_copy_is_compared_soon(account):
    refresh_all()
    domain = Domain.objects.get(name="lindenhof.example")
    change_settings(domain=domain, allow_account_reset=False)
    with time_machine.travel(timezone.now() + timedelta(minutes=15)):
        assert due() == [Kind.DOMAINS]


def test_a_stale_list_is_due_as_soon_as_somebody_opens_it(filled, client, viewer):
    with time_machine.travel(START + timedelta(minutes=40)):
        client.force_login(viewer)
        assert due() == []
        client.get("/mailboxes/")
        assert due() == [Kind.MAILBOXES]


def test_a_part_that_failed_is_tried_again_after_a_quarter_of_an_hour(filled):
    SyncState.objects.filter(pk=Kind.CREDIT).update(failed_since=START)
    with time_machine.travel(START + timedelta(minutes=10)):
        assert due() == []
    with time_machine.travel(START + timedelta(minutes=15)):
        assert due() == [Kind.CREDIT]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mailboxes:list", "mailboxes"),
        ("mailboxes:detail", "mailboxes"),
        ("domains:list", "domains"),
        ("domains:detail", "domains"),
        ("routing:list", "rules"),
    ],
)
def test_a_look_is_noted_at_most_every_five_minutes(
    viewer_client, purelymail, django_assert_max_num_queries, name, kind
):
    mailbox = MailboxFactory()
    pks = {"mailboxes:detail": [mailbox.pk], "domains:detail": [mailbox.domain.pk]}
    path = reverse(name, args=pks.get(name))
    SyncStateFactory(name=kind)
    viewer_client.get(path)
    noted = SyncState.objects.get(pk=kind).viewed_at
    assert noted
    with django_assert_max_num_queries(20) as queries:
        viewer_client.get(path)
    assert not [query for query in queries if 'UPDATE "domains_syncstate"' in query["sql"]]
    SyncState.objects.update(viewed_at=noted - timedelta(minutes=6))
    viewer_client.get(path)
    assert SyncState.objects.get(pk=kind).viewed_at > noted
    assert not purelymail.calls


def test_the_dashboard_and_the_note_that_asks_by_itself_count_as_no_look(viewer_client):
    for kind in Kind:
        SyncStateFactory(name=kind)
    viewer_client.get("/")
    viewer_client.get("/domains/copy/mailboxes/")
    assert not SyncState.objects.filter(viewed_at__isnull=False).exists()


def test_a_tick_refreshes_what_is_due_and_the_next_one_nothing(account):
    refresh_due()
    first = account.calls
    assert set(first.values()) == {1}
    refresh_due()
    assert account.calls == first
    assert isinstance(copy.refresh([Kind.DOMAINS])[Kind.DOMAINS], copy.Changes)
