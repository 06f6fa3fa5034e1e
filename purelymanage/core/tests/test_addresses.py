"""What may stand in a new address, and in a name."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from purelymanage.core.addresses import (
    clean_address,
    clean_domain,
    clean_local_part,
    clean_phone,
    refuse_control_characters,
    shown_address,
    shown_domain,
    shown_text,
)

pytestmark = pytest.mark.once


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


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("example.com", "example.com"),
        ("  Example.COM. ", "example.com"),
        ("mail.example.com", "mail.example.com"),
        ("Bücher.Example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example.", "xn--bcher-kva.example"),
        ("bücher。example", "xn--bcher-kva.example"),
        ("b\u0075\u0308cher.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("_dmarc.example.com", "_dmarc.example.com"),
        (f"{'a' * 63}.example", f"{'a' * 63}.example"),
    ],
)
def test_a_domain_is_kept_in_one_form_however_it_is_typed(typed, kept):
    assert clean_domain(typed) == kept
    if not kept.startswith("_"):  # of records, not of addresses
        assert clean_address(f" Lea@{typed.strip()} ") == f"lea@{kept}"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        ".",
        "example",
        "example..com",
        ".example.com",
        "example.com..",
        "exa mple.com",
        "-a.example",
        "a-.example",
        "192.0.2.1",
        "a@example.com",
        "https://example.com",
        "example.com/x",
        "*.example.com",
        f"{'a' * 64}.example",
        f"{'a.' * 130}example",
        f"{'ü' * 60}.example",
        "bü cher.example",
        "\u202eexample.com",
        "exam\x00ple.com",
        "☃☃☃.",
    ],
)
def test_what_is_no_domain_is_refused_in_words(typed):
    with pytest.raises(ValidationError, match=r"This is not a domain|at most 253 characters"):
        clean_domain(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "@example.com",
        "lea",
        "lea@",
        "lea@@example.com",
        "lea fontaine@example.com",
        "lea@exa mple.com",
        "lea@example.com..",
        "léa@example.com",
        "lea\n@example.com",
        "lea@\u202eexample.com",
        f"{'x' * 250}@example.com",
        f"lea@{'a' * 300}.example",
    ],
)
def test_what_is_no_address_is_refused_in_words(typed):
    with pytest.raises(ValidationError, match=r"This is not an e-mail address|at most 254"):
        clean_address(typed)


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("example.com", "example.com"),
        ("xn--bcher-kva.example", "bücher.example"),
        ("mail.xn--bcher-kva.example", "mail.bücher.example"),
        ("xn--.example", "xn--.example"),
        ("xn--a.example", "xn--a.example"),
        ("", ""),
    ],
)
def test_a_domain_is_shown_as_people_write_it_and_as_it_is_where_that_fails(kept, shown):
    assert shown_domain(kept) == shown
    assert shown_address(f"lea@{kept}") == (f"lea@{shown}" if kept else "lea@")


@pytest.mark.parametrize("typed", ["+491701234567", "+49 (170) 123-45.67", " +49/170/1234567 "])
def test_a_phone_number_is_kept_without_its_spaces(typed):
    assert clean_phone(typed) == "+491701234567"


@pytest.mark.parametrize("typed", ["", "0170 1234567", "+49", "+0170123456", "+49170x", "+1" * 9])
def test_what_is_no_phone_number_is_refused_in_words(typed):
    with pytest.raises(ValidationError, match="with its country code"):
        clean_phone(typed)


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("lea@xn--bcher-kva.example", "lea@bücher.example"),
        (
            "*@mail.xn--bcher-kva.example: MX, xn--bcher-kva.example.",
            "*@mail.bücher.example: MX, bücher.example.",
        ),
        ("xn--bcher-kva.example@lindenhof.example", "xn--bcher-kva.example@lindenhof.example"),
        ("xn--.example and xn--zzzzzz99999.example", "xn--.example and xn--zzzzzz99999.example"),
        ("lea@lindenhof.example", "lea@lindenhof.example"),
    ],
)
def test_domains_in_a_longer_text_are_shown_as_people_write_them(stored, shown):
    assert shown_text(stored) == shown
    assert shown_text(shown) == shown
