from __future__ import annotations

from collections import Counter

from mailboxes.passwords import ALPHABET, generate_password


def test_a_password_has_twenty_characters_of_the_alphabet():
    assert set(ALPHABET) == set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@#%")
    for _ in range(200):
        password = generate_password()
        assert len(password) == 20
        assert set(password) <= set(ALPHABET)


def test_every_character_is_as_likely_as_the_next():
    """A modulo of random bytes would favour the first 61 of 65 characters by a third."""
    counts = Counter("".join(generate_password() for _ in range(13_000)))
    expected = 20 * 13_000 / len(ALPHABET)
    chi_square = sum((counts[character] - expected) ** 2 / expected for character in ALPHABET)
    assert chi_square < 140, "64 degrees of freedom: beyond this once in ten million runs"
