"""What the frame around every page needs, worked out only where a template asks."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from purelymanage.ui import navigation

SCHEMES = ("light", "dark")


class Frame:
    """Sidebar, scheme and demo flag of one request."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @property
    def is_signed_in(self) -> bool:
        user = getattr(self.request, "user", None)
        return user is not None and user.is_authenticated

    @property
    def base(self) -> str:
        """The template of error pages: with the sidebar for those who are signed in."""
        return "base.html" if self.is_signed_in else "public.html"

    @cached_property
    def nav(self) -> list[dict[str, Any]]:
        return navigation.sidebar(self.request.path) if self.is_signed_in else []

    @property
    def theme(self) -> str:
        """The chosen scheme; empty follows the system."""
        theme = self.request.COOKIES.get("theme", "")
        return theme if theme in SCHEMES else ""

    @property
    def keys(self) -> bool:
        """Whether single keys act; they can be turned off."""
        return self.request.COOKIES.get("keys") != "off"

    @property
    def demo(self) -> bool:
        return bool(settings.DEMO)


def frame(request: HttpRequest) -> dict[str, Any]:
    """`frame` in every template."""
    return {"frame": Frame(request)}
