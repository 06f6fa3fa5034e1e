"""Whether a page can use passkeys."""

from __future__ import annotations

from django.template import Context, Library

from accounts.factors import passkeys

register = Library()


@register.simple_tag(takes_context=True)
def passkey_obstacle(context: Context) -> str:
    """Why this page cannot use passkeys; empty where it can."""
    return passkeys.obstacle(context["request"])
