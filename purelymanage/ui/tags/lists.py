"""What lists are read with: searching, filters, sorting, selecting, paging."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.paginator import Page
from django.http import HttpRequest, QueryDict
from django.template import Context, Library
from django.template.loader import get_template, render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from purelymanage.core.addresses import MAX_ADDRESS
from purelymanage.ui.attributes import attributes, escaped, fill
from purelymanage.ui.icons import draw

register = Library()


def _url_with(
    context: Context, given: str | None = None, path: str = "", **changes: str | int | None
) -> str:
    """This page's address with some of its query changed; None takes a parameter out.

    `given` and `path`: the query to change, and the address, if they are not those of the request.
    """
    request: HttpRequest = context["request"]
    path = path or request.path
    query = (
        request.GET.copy() if given is None else QueryDict(given.removeprefix("?"), mutable=True)
    )
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = str(value)
    return f"{path}?{query.urlencode()}" if query else path


def _link(url: str, extra: dict[str, Any], **fixed: Any) -> SafeString:
    """Attributes of a link that also works by htmx where the page gives it a target."""
    by_htmx = {"hx_get": url, "hx_push_url": "true"} if "hx_target" in extra else {}
    return attributes(by_htmx | extra, href=url, **fixed)


@register.simple_tag(takes_context=True)
def paging(
    context: Context,
    page: Page[Any],
    *,
    query: str | None = None,
    path: str = "",
    is_capped: bool = False,
    **extra: Any,
) -> SafeString:
    """Which rows of how many, Previous, Next; keeps the filters. Nothing for an empty list.

    With `hx_target="#rows"` (and `hx_swap`) the links fetch the fragment and change the URL.
    `query` and `path`: the filters and the address, if the request has others; `is_capped`: there
    are more rows than pages are made of.

        {% paging page hx_target="#rows" hx_swap="outerHTML" %}
    """
    if not page.paginator.count:
        return SafeString("")
    before = page.previous_page_number() if page.number > 2 else None
    previous = _url_with(context, query, path, page=before)
    number = page.next_page_number() if page.has_next() else None
    following = _url_with(context, query, path, page=number) if number else ""
    return render_to_string(
        "components/paging.html",
        {
            "page": page,
            "is_capped": is_capped,
            "previous": _link(previous, extra) if page.has_previous() else None,
            "next": _link(following, extra) if following else None,
        },
    )


@register.simple_tag(takes_context=True)
def sort_head(
    context: Context,
    label: str,
    key: str,
    *,
    current: str | None = None,
    css_class: str = "",
    **extra: Any,
) -> SafeString:
    """The head of a sortable column: a link to `?sort=key`, or `-key` when it is sorted by already.

    `current`: the order in force, if it is not what the URL says; `css_class`: num, low, mid.

        {% sort_head _("Address") "address" current=sort %}
    """
    request: HttpRequest = context["request"]
    order = request.GET.get("sort", "") if current is None else current
    rising, falling = order == key, order == f"-{key}"
    url = _url_with(context, sort=f"-{key}" if rising else key, page=None)
    arrow = draw("arrow-up") if rising else draw("arrow-down") if falling else ""
    return fill(
        "<th{}><a{}>{}{}</a></th>",
        attributes(
            {},
            role="columnheader",
            scope="col",
            **{"class": css_class or None},
            aria_sort="ascending" if rising else "descending" if falling else None,
        ),
        _link(url, extra),
        label,
        arrow,
    )


@register.simple_tag
def search_box(
    *, name: str = "q", value: str = "", label: str, placeholder: str = "", **extra: Any
) -> SafeString:
    """The search of a list; the key `/` leads here. Other keyword arguments become attributes.

    {% search_box value=query label=_("Search mailboxes") placeholder=_("Search addresses")
       hx_get=url hx_trigger="input changed delay:200ms, search" hx_target="#rows" %}
    """
    attrs = attributes(
        extra,
        type="search",
        name=name,
        value=value or "",
        aria_label=label,
        placeholder=placeholder or None,
        maxlength=MAX_ADDRESS,
        autocomplete="off",
        data_key="/",
        **{"class": "input"},
    )
    return fill('<div class="search">{}<input{}></div>', draw("search"), attrs)


@register.simple_tag
def filter_select(
    name: str, choices: Iterable[tuple[Any, Any]], *, value: Any = "", label: str, **extra: Any
) -> SafeString:
    """A select of a list's toolbar. `choices`: `(value, label)`; `value`: the one in force.

    A group of choices is `(label, [(value, label), …])`.

    {% filter_select "domain" domain_choices value=domain label=_("Domain") hx_get=url %}
    """
    attrs = attributes(extra, name=name, aria_label=label, **{"class": "input select"})
    return fill("<select{}>{}</select>\n", attrs, _options(choices, str(value or "")))


def _options(choices: Iterable[tuple[Any, Any]], chosen: str) -> SafeString:
    options = "".join(_option(key, text, chosen) for key, text in choices)
    return SafeString(options)  # nosec B703  # filled options, joined


def _option(key: Any, text: Any, chosen: str) -> SafeString:
    if isinstance(text, list):
        return fill('<optgroup label="{}">{}</optgroup>', key, _options(text, chosen))
    if str(key) == chosen:
        return fill('<option value="{}" selected>{}</option>', key, text)
    return fill('<option value="{}">{}</option>', key, text)


@register.simple_tag
def filter_links(items: Iterable[tuple[str, str, bool, int | None]], label: str) -> SafeString:
    """A row of filters with their counts. `items`: `(label, url, is_current, count or None)`.

    {% filter_links states label=_("State") %}
    """
    context = {"items": list(items), "label": label}
    return render_to_string("components/filter_links.html", context)


STAMPED_PK = 7_301_998_223_114_077
"""What stands in a stamp where the row's own key goes: a number nobody has."""
BLANK = re.compile(f"\ue000([a-z_]+)\ue001|{STAMPED_PK}")
"""Where something goes: a text's name between two letters that Unicode gives to nobody, or pk."""


@register.simple_block_tag
def stamp(
    content: str,
    template: str,
    *,
    pk: int,
    facts: Mapping[str, object] | None = None,
    **values: object,
) -> SafeString:
    """What is the same in every row but for its key, some words and a piece that stands inside.

    It is rendered once and copied into the rows: `pk`, the texts and, as `content`, what stands
    inside are filled in; anything else is true or false and makes a stamp of its own. The template
    sees nothing more. It shows the texts as they are: whoever needs one lower case or encoded
    passes it that way, and beside one that may be empty a value that is true or false. `facts`:
    more of them, where Python has them at hand.

        {% stamp "mailboxes/row.html" pk=mailbox.pk name=mailbox.address is_pending=deletion %}
          {% include "mailboxes/move.html" %}
        {% endstamp %}
    """
    values |= facts or {}
    texts = {name: str(value) for name, value in values.items() if isinstance(value, str | Promise)}
    flags = {name: bool(value) for name, value in values.items() if name not in texts}
    parts = _stamp(template, ("content", *texts), flags).copy()
    filled: dict[str | None, str] = {None: str(pk), "content": content}
    filled |= {name: escaped(text) for name, text in texts.items()}
    parts[1::2] = [filled[blank] for blank in parts[1::2]]
    return SafeString("".join(parts))  # nosec B703  # texts are escaped above, content by its tag


def _stamp(name: str, texts: tuple[str, ...], flags: dict[str, bool]) -> list[Any]:
    """HTML and what goes between it in turns. Kept with the compiled template: it has no data."""
    template: Any = get_template(name)
    stamps: dict[object, list[Any]] = template.template.__dict__.setdefault("stamps", {})
    key = get_language(), texts, *flags.items()
    if key not in stamps:
        blanks = {text: f"\ue000{text}\ue001" for text in texts}
        stamps[key] = BLANK.split(template.render({"pk": STAMPED_PK, **blanks, **flags}))
    return stamps[key]


@register.simple_tag
def pick_all(label: str, *, form: str = "selection") -> SafeString:
    """The head cell that selects the rows of this page.

    <tr role="row">{% pick_all _("Select this page") %}…
    """
    attrs = attributes({}, type="checkbox", form=form, aria_label=label, data_pick_all=True)
    return fill(
        '<th role="columnheader" scope="col" class="pick"><label class="needs-script">'
        "<input{}></label></th>",
        attrs,
    )


@register.simple_tag
def pick(
    value: Any,
    label: str,
    *,
    name: str = "selected",
    form: str = "selection",
    disabled: bool = False,
) -> SafeString:
    """The cell that selects one row. `value`: what the form receives; `label`: "Select …".

    {% pick mailbox.pk select_label %}
    """
    attrs = attributes(
        {},
        type="checkbox",
        name=name,
        value=value,
        form=form,
        aria_label=label,
        disabled=disabled,
        data_pick=True,
    )
    return fill('<td role="cell" class="pick"><label><input{}></label></td>', attrs)


@register.simple_block_tag(takes_context=True)
def selection_bar(
    context: Context,
    content: str,
    *,
    action: str,
    total: int = 0,
    id: str = "selection",  # noqa: A002  the name of HTML's attribute
    name: str = "everything",
) -> SafeString:
    """The form of a list with check boxes: shown above the table once rows are ticked.

    Inside stand the actions; `action` receives `selected` by POST, and `everything=1` (the
    `name`) when all that the filter matches are meant: `total` of them. The boxes are `pick` and
    `pick_all` cells, tied to it by `id`, so that no form has to wrap the table.
    A `dialog form="selection"` can confirm. Without script the bar is always there.

        {% selection_bar action=bulk_url total=page.paginator.count %}
          {% button _("Export") icon="download" size="sm" name="do" value="export" %}
        {% endselection_bar %}
    """
    return render_to_string(
        "components/selection_bar.html",
        {
            "action": action,
            "total": total,
            "id": id,
            "name": name,
            "actions": SafeString(content.strip()),  # nosec B703  # rendered, so escaped
            "csrf_token": context.get("csrf_token", ""),
        },
    )
