"""Times, sizes and numbers in the words our pages use."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.template import Library
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from purelymanage.ui.attributes import escaped, fill

register = Library()

MINUTE, HOUR, DAY = 60, 3600, 86400
UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
EMPTY = "\N{EN DASH}"


@register.simple_tag
def moment(value: datetime | None, *, due: bool = False) -> SafeString:
    """A point in time: relative for 7 days, then the date; the absolute time and zone as title.

    Empty values are a grey dash. What is `due` lies ahead: it is never said to have just been.

        Synced {% moment sync.finished_at %}
    """
    if value is None:
        return fill('<span class="quiet">{}</span>', EMPTY)
    local = timezone.localtime(value)
    clock = local.replace(tzinfo=None)
    opening = _opening(value.isoformat(), clock, local.tzname(), get_language())
    now = timezone.localtime()
    words = _("in a moment") if due and local - now < timedelta(minutes=1) else _nearby(local, now)
    markup = f"{opening}{escaped(words)}</time>"
    return SafeString(markup)  # nosec B703  # moments, and words escaped right here


@lru_cache(maxsize=4096)
def _opening(written: str, clock: datetime, zone: str | None, _language: str | None) -> str:
    """The tag with the absolute time, which stays as it is while the words move on."""
    return fill('<time datetime="{}" title="{} {}">', written, _in_full(clock), zone)


def _in_full(clock: datetime) -> str:
    return date_format(clock, "j F Y, H:i")


def _nearby(local: datetime, now: datetime) -> str:
    seconds = (now - local).total_seconds()
    if seconds < -MINUTE:
        return _ahead(local, now)
    if seconds < MINUTE:
        return _("just now")
    if seconds < HOUR:
        return _("%(count)d min ago") % {"count": seconds // MINUTE}
    days = (now.date() - local.date()).days
    if days == 0:
        return _("%(count)d h ago") % {"count": seconds // HOUR}
    if days == 1:
        return _("yesterday, %(time)s") % {"time": date_format(local, "H:i")}
    if days <= 7:
        return ngettext("%(count)d day ago", "%(count)d days ago", days) % {"count": days}
    return _date(local, now)


def _ahead(local: datetime, now: datetime) -> str:
    days = (local.date() - now.date()).days
    seconds = (local - now).total_seconds()
    if seconds < HOUR:
        return _("in %(count)d min") % {"count": seconds // MINUTE}
    if days == 0:
        return _("today, %(time)s") % {"time": date_format(local, "H:i")}
    if days == 1:
        return _("tomorrow, %(time)s") % {"time": date_format(local, "H:i")}
    return _date(local, now)


def _date(local: datetime, now: datetime) -> str:
    return date_format(local, "j M" if local.year == now.year else "j M Y")


@register.filter
def filesize_si(size: float | None) -> str:
    """Bytes in decimal units: `612 kB`, `61.3 MB`, `2.1 GB`. Empty values are a dash.

    {{ job.bytes_done|filesize_si }}
    """
    if size is None:
        return EMPTY
    number, unit = float(size), 0
    while round(abs(number), 1) >= 1000 and unit < len(UNITS) - 1:
        number, unit = number / 1000, unit + 1
    places = 1 if unit > 1 and number < 100 else 0
    written = _with_places(round(number, places), places, get_language())
    return f"{written}\N{NO-BREAK SPACE}{UNITS[unit]}"


@lru_cache(maxsize=1024)
def _with_places(number: float, places: int, _language: str | None) -> str:
    return number_format(number, decimal_pos=places)


@register.filter
def grouped(number: Any) -> str:
    """A number with its thousands separated: `8,412`. Empty values are a dash.

    {{ job.messages_done|grouped }}
    """
    if number is None:
        return EMPTY
    if type(number) is int and 0 <= number < 1000:
        return str(number)
    return number_format(number, use_l10n=True, force_grouping=True)


@register.filter
def clock_time(value: datetime | None) -> str:
    """Since when something lasts: `14:20`, or `19 Nov, 14:20` where that was not today.

    {{ copy.failed_since|clock_time }}
    """
    if value is None:
        return EMPTY
    local = timezone.localtime(value)
    is_today = local.date() == timezone.localdate()
    return date_format(local, "H:i" if is_today else "j M, H:i")


@register.filter
def duration(value: float | timedelta | None) -> str:
    """Seconds or a timedelta, two units at most: `19 min 8 s`, `2 h 5 min`, `3 d 4 h`.

    {{ job.running_for|duration }}
    """
    if value is None:
        return EMPTY
    seconds = int(value.total_seconds() if isinstance(value, timedelta) else value)
    parts = (
        (seconds // DAY, _("d")),
        (seconds % DAY // HOUR, _("h")),
        (seconds % HOUR // MINUTE, _("min")),
        (seconds % MINUTE, _("s")),
    )
    first = next((index for index, (number, _unit) in enumerate(parts) if number), 3)
    return (
        " ".join(
            f"{number}\N{NO-BREAK SPACE}{unit}"
            for number, unit in parts[first : first + 2]
            if number
        )
        or f"0\N{NO-BREAK SPACE}{parts[3][1]}"
    )
