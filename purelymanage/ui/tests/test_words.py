"""Times, sizes, numbers."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from purelymanage.ui.tags.words import EMPTY, clock_time, duration, filesize_si, grouped, moment

NOW = datetime(2026, 11, 20, 14, 57, tzinfo=UTC)
SPACE = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=3, seconds=50), "3 min ago"),
        (timedelta(hours=5), "5 h ago"),
        (timedelta(hours=20, minutes=17), "yesterday, 18:40"),
        (timedelta(days=5), "5 days ago"),
        (timedelta(days=7), "7 days ago"),
        (timedelta(days=8), "12 Nov"),
        (timedelta(days=400), "16 Oct 2025"),
        (-timedelta(minutes=13), "in 13 min"),
        (-timedelta(hours=3), "today, 17:57"),
        (-timedelta(hours=24), "tomorrow, 14:57"),
        (-timedelta(days=7), "27 Nov"),
    ],
)
def test_times_are_relative_for_seven_days(ago, words):
    with time_machine.travel(NOW, tick=False):
        assert f">{words}</time>" in moment(NOW - ago)


@pytest.mark.parametrize("seconds", [-40, 0, 40])
def test_what_is_due_never_happened_just_now(seconds):
    with time_machine.travel(NOW, tick=False):
        assert ">in a moment</time>" in moment(NOW + timedelta(seconds=seconds), due=True)
        assert ">in 13 min</time>" in moment(NOW + timedelta(minutes=13), due=True)


def test_a_time_carries_its_absolute_time_and_zone():
    html = moment(NOW)
    assert 'datetime="2026-11-20T14:57:00+00:00"' in html
    assert 'title="20 November 2026, 14:57 UTC"' in html


def test_a_time_is_in_the_zone_of_the_panel(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    assert 'title="20 November 2026, 15:57 CET"' in moment(NOW)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (612_400, "612 kB"),
        (61_300_000, "61.3 MB"),
        (999_960_000, "1.0 GB"),
        (2_100_000_000, "2.1 GB"),
        (340_000_000_000, "340 GB"),
        (None, EMPTY),
    ],
)
def test_sizes_are_decimal(size, words):
    assert filesize_si(size).replace(SPACE, " ") == words


def test_thousands_are_separated():
    assert grouped(12370) == "12,370"
    assert grouped(0) == "0"
    assert grouped(None) == EMPTY


def test_a_time_has_its_day_only_where_that_is_not_today():
    with time_machine.travel(NOW, tick=False):
        assert clock_time(NOW - timedelta(minutes=37)) == "14:20"
        assert clock_time(NOW - timedelta(days=2)) == "18 Nov, 14:57"
    assert clock_time(None) == EMPTY


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0 s"),
        (8.6, "8 s"),
        (1148, "19 min 8 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (timedelta(days=3, hours=4, minutes=5), "3 d 4 h"),
        (None, EMPTY),
    ],
)
def test_durations_have_two_units_at_most(value, words):
    assert duration(value).replace(SPACE, " ") == words
