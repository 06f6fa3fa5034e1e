"""What only the frame uses."""

from __future__ import annotations

from typing import Any

from django.contrib.messages.storage.base import Message
from django.template import Library
from django.utils.safestring import SafeString

from purelymanage.ui import states
from purelymanage.ui.attributes import fill

register = Library()


@register.filter
def message_tone(message: Message) -> str:
    """Our tone for a message of Django's.

    {% for message in messages %}{% banner tone=message|message_tone %}…
    """
    return states.message_tone(message)


@register.filter
def marked(text: Any, query: str) -> SafeString:
    """The text with the first occurrence of the query in bold, in the palette.

    {{ label|marked:query }}
    """
    text, start = str(text), str(text).lower().find(query.lower()) if query else -1
    if start < 0:
        return fill("{}", text)
    end = start + len(query)
    return fill("{}<mark>{}</mark>{}", text[:start], text[start:end], text[end:])
