"""Icons from lucide, under the names our design uses."""

from __future__ import annotations

import re
from functools import lru_cache

from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

ALIASES = {
    "circle-help": "circle-question-mark",
    "dashboard": "layout-dashboard",
    "fingerprint": "fingerprint-pattern",
    "loader": "loader-circle",
    "refresh": "refresh-cw",
    "settings": "settings-2",
    "trash": "trash-2",
    "undo": "undo-2",
    "wand": "wand-sparkles",
}
"""Where the design's name differs from lucide's."""

DASHED = {"circle-help", "circle-minus"}
"""Rings drawn dashed: something is not there, or not known."""

SIDEWAYS = {"split"}
"""Drawn from left to right, as mail is read to flow."""

STYLED = re.compile(r' (width|height|fill|stroke|stroke-[a-z]+)="[^"]*"')
"""What the class `icon` says already."""


@lru_cache(maxsize=256)
def draw(name: str, *, css_class: str = "") -> SafeString:
    """The icon as inline SVG, hidden from screen readers: words stand beside it. `loader` turns."""
    names = ["icon"]
    if name == "loader":
        names.append("spin")
    if name in DASHED:
        names.append("dashed")
    if name in SIDEWAYS:
        names.append("sideways")
    if css_class:
        names.append(css_class)
    svg = lucide(
        ALIASES.get(name, name), size=16, **{"class": " ".join(names), "aria_hidden": "true"}
    )
    head, end, drawing = svg.partition(">")
    drawing = re.sub(r">\s+<", "><", drawing.strip())
    head = STYLED.sub("", head).replace("0 0 24 24", "-2 -2 28 28")  # as light as our type
    return mark_safe(head + end + drawing)  # noqa: S308  # nosec B703  # from lucide's own files


COPYING = {"data_copy", "data_copy_from"}
"""Attributes of buttons that copy something."""


@lru_cache(maxsize=64)
def draw_copy(name: str) -> SafeString:
    """The icon of such a button, and the tick that stands in for it after copying."""
    return draw(name or "copy", css_class="before") + draw("check", css_class="after")
