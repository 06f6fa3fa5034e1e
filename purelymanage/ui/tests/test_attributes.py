"""Our fast pieces of HTML are those of Django, letter by letter."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest
from django.forms.utils import flatatt
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from purelymanage.ui.attributes import attributes, fill

VALUES = [
    "plain",
    "",
    """<b a="1" b='2'>&amp;</b>""",
    mark_safe("<b>safe</b>"),
    _("Lazy <b>"),
    format_lazy("{}{}", mark_safe("<i>"), "x"),
    7,
    Decimal("1.50"),
    None,
    True,
]


@pytest.mark.parametrize("value", VALUES)
def test_values_are_escaped_as_django_does(value):
    assert fill("<a>{}</a>{}", value, "x") == format_html("<a>{}</a>{}", value, "x")
    assert hasattr(fill("{}", value), "__html__")


@pytest.mark.parametrize(("first", "second"), list(itertools.product(VALUES, repeat=2)))
def test_attributes_stand_in_djangos_order_and_are_always_escaped(first, second):
    ours = attributes({"data_copy_from": first, "hx_get": second}, data_copy=second, for_=first)
    plain = {
        name: value if isinstance(value, bool) or value is None else str(value) + ""
        for name, value in {
            "data-copy-from": first,
            "hx-get": second,
            "data-copy": second,
            "for": first,
        }.items()
    }
    assert ours == flatatt(plain)


def test_what_the_template_says_wins_over_what_the_tag_says():
    assert attributes({"type": "submit"}, type="button") == ' type="submit"'
