"""Renders a piece of template as a page would."""

from typing import Any

from django.template import Context, Template
from django.test import RequestFactory


def render(text: str, path: str = "/", **context: Any) -> str:
    """The HTML of `text` with our tags loaded; runs of white space are one space."""
    request = RequestFactory().get(path)
    html = Template("{% load ui %}" + text).render(Context({"request": request, **context}))
    return " ".join(html.split())
