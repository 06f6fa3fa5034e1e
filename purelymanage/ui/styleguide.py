"""Samples for the style-guide page."""

from __future__ import annotations

from typing import Any


def samples(url: str) -> dict[str, Any]:
    """The context of the style-guide page."""
    return {"url": url}
