"""Extra keyword arguments of a tag, written as HTML attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.forms.utils import flatatt
from django.utils.safestring import SafeString


def attributes(extra: Mapping[str, Any], **fixed: Any) -> SafeString:
    """`hx_post="/x/"` → ` hx-post="/x/"`. True is a bare attribute; None and False leave it out.

    Names lose a trailing underscore (`for_`), so that Python's own words can be used.
    Literals in templates count as safe, attribute values never do.
    """
    merged = {**fixed, **extra}
    return flatatt(
        {
            name.rstrip("_").replace("_", "-"): value
            if isinstance(value, bool) or value is None
            else str(value) + ""
            for name, value in merged.items()
        }
    )


def classes(*names: str) -> str:
    """Class names, empty ones left out."""
    return " ".join(name for name in names if name)
