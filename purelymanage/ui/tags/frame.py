"""What only the frame uses."""

from __future__ import annotations

from typing import Any

from django.contrib.messages.storage.base import Message
from django.template import Context, Library, Node, NodeList
from django.template.base import Parser, Token
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from purelymanage.ui import states
from purelymanage.ui.attributes import fill

register = Library()


class ForEverybodyNode(Node):
    """Keeps what it rendered, by language. It goes when the template is compiled anew."""

    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist
        self.rendered: dict[str | None, SafeString] = {}

    def render(self, context: Context) -> SafeString:
        language = get_language()
        if language not in self.rendered:
            self.rendered[language] = self.nodelist.render(context.new())
        return self.rendered[language]


@register.tag
def for_everybody(parser: Parser, _token: Token) -> ForEverybodyNode:
    """A part of the frame that is the same in every page for everybody; it is rendered once.

    What stands inside sees no variable, so that nothing of a page or a person can stay in it.

        {% for_everybody %}{% include "components/toasts.html" %}{% endfor_everybody %}
    """
    nodelist = parser.parse(("endfor_everybody",))
    parser.delete_first_token()
    return ForEverybodyNode(nodelist)


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
