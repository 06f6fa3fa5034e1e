"""What the frame of the settings pages needs."""

from __future__ import annotations

from django.template import Context, Library
from django.urls import reverse

from accounts.settings_tabs import settings_tabs

register = Library()


@register.simple_tag(takes_context=True)
def settings_tab_items(context: Context) -> list[tuple[str, str, bool, None]]:
    """The tabs as `{% tabs %}` takes them."""
    path = context["request"].path
    return [
        (str(tab.label), reverse(tab.url_name), tab.is_current(path), None)
        for tab in settings_tabs()
    ]
