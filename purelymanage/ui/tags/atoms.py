"""The small ones: icons, buttons, verdicts, addresses, copyable values, progress."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from html import escape
from typing import Any, Protocol

from django.template import Library
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from purelymanage.core.addresses import shown_address, shown_domain, split_address
from purelymanage.ui.attributes import attributes, classes, escaped, fill
from purelymanage.ui.icons import COPYING, draw, draw_copy
from purelymanage.ui.states import DNS_STATES, JOB_STATES, BarPart, Look
from purelymanage.ui.tags.words import EMPTY

register = Library()

CHIPS, NAMED = 3, 50
NOT_SUBMITTING = {"popovertarget", "data_opens", "data_closes", "data_copy", "data_copy_from"}
"""Attributes of buttons that act in the page; such a button never sends a form by accident."""


@register.simple_tag
def icon(name: str, css_class: str = "") -> SafeString:
    """An icon, hidden from screen readers. `loader` turns by itself.

    `name`: of lucide or of our design; `css_class`: more classes.

        {% icon "mail" %}
    """
    return draw(str(name), css_class=str(css_class))


@register.simple_tag
def button(
    text: str,
    *,
    icon: str = "",
    kind: str = "",
    href: str = "",
    size: str = "",
    wide: bool = False,
    grow: bool = False,
    disabled: bool = False,
    busy: bool = False,
    css_class: str = "",
    **extra: Any,
) -> SafeString:
    """A button, or a link that looks like one when it has an `href`.

    `kind`: primary, quiet, danger, danger-quiet; `size`: sm; `wide`: full width; `grow`: takes
    the free width in page actions on phones; `disabled`: stays focusable and says so (explain
    why beside it); `busy`: a ring turns instead of the icon. Everything else becomes an
    attribute: `hx_post=url`, `type="button"`, `data_key="n"`, `data_opens="delete"`.

        {% button _("New mailbox") icon="plus" kind="primary" href=new_url data_key="n" %}
        {% button _("Recheck now") icon="refresh" hx_post=recheck_url data_busy=_("Checking…") %}
    """
    css = classes(
        "btn",
        f"btn-{kind}" if kind else "",
        f"btn-{size}" if size else "",
        "btn-wide" if wide else "",
        "grow" if grow else "",
        css_class,
    )
    drawn = draw_copy(icon) if COPYING & extra.keys() else draw(icon) if icon else ""
    state = {"aria_disabled": "true" if disabled else None, "aria_busy": "true" if busy else None}
    if href or (disabled and extra.get("role") == "link"):
        link = None if disabled else href
        attrs = attributes(extra, href=link, **{"class": css}, **state)
        return fill("<a{}>{}{}</a>", attrs, drawn, text)
    kind_of = "button" if disabled or NOT_SUBMITTING & extra.keys() else "submit"
    attrs = attributes(extra, type=extra.pop("type", kind_of), **{"class": css}, **state)
    return fill("<button{}>{}{}</button>", attrs, drawn, text)


@register.simple_tag
def icon_button(
    label: str, *, icon: str, href: str = "", css_class: str = "", **extra: Any
) -> SafeString:
    """An icon that acts alone: copy, close, more, search, cancel, re-run.

    `label` names the action and its object, for those who do not see the icon. Other keyword
    arguments become attributes. With `data_copy` the icon turns into a tick for two seconds.

        {% icon_button copy_label icon="copy" data_copy=mailbox.address %}
    """
    css = classes("icon-btn", css_class)
    drawn = draw_copy(icon) if COPYING & extra.keys() else draw(icon)
    fixed = {"class": css, "aria_label": label, "title": extra.pop("title", None)}
    if href:
        return fill("<a{}>{}</a>", attributes(extra, href=href, **fixed), drawn)
    kind_of = "button" if NOT_SUBMITTING & extra.keys() else "submit"
    attrs = attributes(extra, type=extra.pop("type", kind_of), **fixed)
    return fill("<button{}>{}</button>", attrs, drawn)


def _verdict(element: str, look: Look) -> SafeString:
    return _drawn_verdict(element, look.tone, look.icon, escaped(look.word))


@lru_cache(maxsize=1024)
def _drawn_verdict(element: str, tone: str, icon: str, words: str) -> SafeString:
    """`words` are HTML."""
    markup = f'<span class="{element} {escape(tone)}">{draw(icon)}{words}</span>'
    return SafeString(markup)  # nosec B703  # the caller has escaped the words


@register.simple_tag
def status(tone: str, icon: str, text: str) -> SafeString:
    """A verdict in a table or in text: icon and word, no ground.

    `tone`: ok, warn, bad, info (in motion), idle.

        {% status "ok" "circle-check" _("Active") %}
    """
    return _verdict("status", Look(tone, icon, text))


class Verdict(Protocol):
    """What `verdict_cells` shows."""

    @property
    def name(self) -> str: ...
    @property
    def tone(self) -> str: ...
    @property
    def icon(self) -> str: ...
    @property
    def words(self) -> str: ...


@register.simple_tag
def verdict_cells(verdicts: Iterable[Verdict]) -> SafeString:
    """A cell with a `status` for each verdict; on a phone its name stands before it.

    {% verdict_cells domain.checks %}
    """
    cells = "".join(
        fill(
            '<td role="cell" data-label="{}">{}</td>',
            verdict.name,
            status(verdict.tone, verdict.icon, verdict.words),
        )
        for verdict in verdicts
    )
    return SafeString(cells)  # nosec B703  # filled cells, joined


@register.simple_tag
def badge(tone: str, icon: str, text: str) -> SafeString:
    """A verdict beside a title or standing alone: like `status`, with a ground.

    {% badge "warn" "clock" _("Deletion pending") %}
    """
    return _verdict("badge", Look(tone, icon, text))


@register.simple_tag
def job_state(state: str) -> SafeString:
    """The state of a migration job as a `status`.

    {% job_state job.state %}
    """
    return _verdict("status", JOB_STATES[str(state)])


@register.simple_tag
def job_badge(state: str) -> SafeString:
    """The state of a migration job as a `badge`.

    {% job_badge job.state as state %}{% page_head title=job.name badge=state %}…
    """
    return _verdict("badge", JOB_STATES[str(state)])


@register.simple_tag
def dns_state(value: str) -> SafeString:
    """The state of a DNS record as a `status`: ok, wrong, missing, no_answer, accepted.

    {% dns_state record.state %}
    """
    return _verdict("status", DNS_STATES[str(value)])


@register.simple_tag
def dns_badge(value: str) -> SafeString:
    """The state of a DNS record as a `badge`.

    {% dns_badge domain.worst_state %}
    """
    return _verdict("badge", DNS_STATES[str(value)])


@register.simple_tag
def count(number: int, tone: str = "", words: str = "") -> SafeString:
    """A number in a pill. `tone`: info is in motion, bad needs a person; `words` say of what.

    {% count 4 tone="info" words=_("running") %}
    """
    css = classes("count", tone)
    if not words:
        return fill('<span class="{}">{}</span>', css, number)
    return fill(
        '<span class="{}" title="{} {}">{}<span class="visually-hidden"> {}</span></span>',
        css,
        number,
        words,
        number,
        words,
    )


@register.simple_tag
def address(value: str) -> SafeString:
    """An address as lists show it: the local part dark, the domain grey, a break before the `@`.

    A domain with letters beyond ASCII is shown as people write it, with DNS's form as its title.

        <a href="{{ url }}">{% address mailbox.address %}</a>
    """
    local_part, domain = split_address(str(value))
    if not domain:
        return fill("{}", value)
    shown = shown_domain(domain)
    title = f' title="{escape(domain)}"' if shown != domain else ""
    markup = f'{escape(local_part)}<wbr><span class="at"{title}>@{escape(shown)}</span>'
    return SafeString(markup)  # nosec B703  # every part was escaped


@register.filter
def shown(value: object) -> str:
    """A domain or an address in plain text, as people write it: `xn--…` becomes letters.

    {{ mailbox.domain|shown }}
    """
    text = str(value)
    return shown_address(text) if "@" in text else shown_domain(text)


@register.simple_tag
def address_chips(addresses: Sequence[str], *, none: str) -> SafeString:
    """The first three addresses as chips, then how many more there are; the title tells fifty.

    `none`: the word for an empty list.

        {% address_chips rule.targets none=_("nobody") %}
    """
    if not addresses:
        return fill('<span class="quiet">{}</span>', none)
    chips = "".join(map(_chip, addresses[:CHIPS]))
    more = len(addresses) - CHIPS
    if more > 0:
        names = ", ".join(map(shown_address, addresses[CHIPS : CHIPS + NAMED]))
        chips += fill(
            '<span class="quiet small" title="{0}">+{1}'
            '<span class="visually-hidden"> {2} {0}</span></span>',
            names,
            more,
            _("more:"),
        )
    line = SafeString(chips)  # nosec B703  # filled chips, joined
    return fill('<span class="line chip-line">{}</span>', line)


def _chip(address: str) -> str:
    shown = shown_address(address)
    title = f' title="{escape(address)}"' if shown != address else ""
    return f'<span class="chip"{title}>{escape(shown)}</span>'


@register.simple_tag
def dash() -> SafeString:
    """An empty value: a grey dash, read out as "none".

    {% if job.eta %}{{ job.eta|duration }}{% else %}{% dash %}{% endif %}
    """
    return fill(
        '<span class="quiet"><span aria-hidden="true">{}</span>'
        '<span class="visually-hidden">{}</span></span>',
        EMPTY,
        _("none"),
    )


@register.simple_tag
def copy_value(text: str, label: str = "") -> SafeString:
    """A value in code with a copy button. `label` says what is copied: "Copy name @".

    {% copy_value record.expected label=_("Copy expected MX") %}
    """
    label = label or _("Copy %(value)s") % {"value": text}
    copy = icon_button(label, icon="copy", data_copy=text)
    return fill('<span class="value"><code>{}</code>{}</span>', text, copy)


@register.simple_tag
def progress_bar(
    value: float | None = None,
    max: float | None = 100,  # noqa: A002  the name of HTML's attribute
    label: str = "",
    tone: str = "",
    **extra: Any,
) -> SafeString:
    """A bar, with the number beside it; without `value` or `max` it says that something goes on.

    `label`: what moves; `tone`: ok, warn, bad.

        {% progress_bar value=job.messages_done max=job.messages_total label=_("Messages copied") %}
    """
    known = value is not None and bool(max)
    attrs = attributes(
        extra,
        **{"class": tone or None},
        max=max if known else None,
        value=value if known else None,
        aria_label=label or None,
    )
    return fill("<progress{}></progress>", attrs)


@register.simple_tag
def bar_parts(parts: Sequence[BarPart], *, legend: bool = True) -> SafeString:
    """One bar in parts, and below it the numbers, which lead to what they count.

    `parts`: in order, each with its tone (ok, warn, bad, info, rest), number, words and address;
    `legend=False` leaves the numbers out, where they stand elsewhere.

        {% bar_parts batch.view.parts %}
    """
    total = sum(part.number for part in parts) or 1
    drawn, before = [], 0
    for part in parts:
        x, width = 100 * before / total, 100 * part.number / total
        drawn.append(fill(RECT, part.tone, f"{x:.2f}", f"{width:.2f}"))
        before += part.number
    words = ", ".join(part.words for part in parts)
    bar = fill(BAR, words, SafeString("".join(drawn)))  # nosec B703  # filled, joined
    if not legend:
        return bar
    items = "".join(fill(LEGEND_ITEM, part.tone, part.url, part.words) for part in parts)
    return fill('{}<ul class="legend" role="list">{}</ul>', bar, SafeString(items))  # nosec B703


RECT = '<rect class="{}" x="{}%" width="{}%" height="100%"/>'
BAR = '<svg class="bar-parts" role="img" aria-label="{}">{}</svg>'
LEGEND_ITEM = '<li class="{}"><a href="{}"><i></i>{}</a></li>'
