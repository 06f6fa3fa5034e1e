"""What may stand in a new address, and in a name."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from purelymanage.core.addresses import clean_local_part, refuse_control_characters


@pytest.mark.parametrize("text", ["lea", " Lea.Fontaine ", "a", "0", "_a-b_", "a--b", "x" * 64])
def test_a_local_part_of_what_the_sentence_names_is_taken(text):
    assert clean_local_part(text) == text.strip().lower()


@pytest.mark.parametrize(
    "text", ["*", "a/b", "-dash", "dash-", ".a", "a.", "a..b", "a+b", "o'brien", "", "x" * 65]
)
def test_any_other_is_refused_with_what_to_use(text):
    with pytest.raises(ValidationError, match="Use letters, digits, dots, hyphens and under"):
        clean_local_part(text)


@pytest.mark.parametrize("code", [0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2066, 0x2069])
def test_characters_that_turn_a_row_around_are_refused(code):
    with pytest.raises(ValidationError, match="Remove"):
        refuse_control_characters(f"Old {chr(code)}provider")


@pytest.mark.parametrize(
    "name", ["Überstunden", "ספק ישן", "مزود", "日本", "a\N{ZERO WIDTH JOINER}b"]
)
def test_names_in_any_script_are_taken(name):
    refuse_control_characters(name)
