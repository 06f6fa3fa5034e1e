"""What people type and paste where addresses belong."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from domains.tests.factories import DomainFactory
from routing.forms import MAX_TARGETS, RuleForm, clean_match, clean_targets
from routing.models import RuleKind

OURS = "ours.example"


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("a@x.example", ["a@x.example"]),
        (" A@X.Example. ", ["a@x.example"]),
        ("a@x.example, b@x.example;c@x.example\r\nd@x.example", ["a", "b", "c", "d"]),
        ("a@x.example b@x.example\tc@x.example", ["a", "b", "c"]),
        ("Anna Berg <a@x.example>, <b@x.example>", ["a", "b"]),
        ('"Berg, Anna" <a@x.example>; Bo B. <b@x.example>', ["a", "b"]),
        ("a@x.example\nA@x.example\na@x.example", ["a@x.example"]),
        ("mailto:a@x.example", ["a@x.example"]),
        ("a@bücher.example", ["a@xn--bcher-kva.example"]),
        ("a@x.example,,\n\n;", ["a@x.example"]),
    ],
)
def test_lists_of_addresses_are_understood(typed, found):
    assert clean_targets(typed) == [name if "@" in name else f"{name}@x.example" for name in found]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("nonsense", "“nonsense” is not an e-mail address"),
        ("a@x.example, b@, @c, d@localhost..x", "“b@”, “@c”, “d@localhost..x” are not"),
        ("a b c d e", "“c” and 2 more are not"),
        (f"{'a' * 250}@x.example", "is not an e-mail address"),
        ("a@x.example\x01", "is not an e-mail address"),
        (";,\n", "Name at least one address"),
        ("<>", "Name at least one address"),
        (",".join(f"a{n}@x.example" for n in range(MAX_TARGETS + 1)), "at most 500 targets"),
    ],
)
def test_wrong_targets_are_named(typed, words):
    with pytest.raises(ValidationError) as refusal:
        clean_targets(typed)
    assert words in refusal.value.messages[0]


def test_two_hundred_targets_are_taken():
    assert len(clean_targets("\n".join(f"t{n}@x.example" for n in range(200)))) == 200


@pytest.mark.parametrize(
    ("typed", "kind", "match"),
    [
        (" Sales ", RuleKind.EXACT, "sales"),
        ("sales@ours.example", RuleKind.EXACT, "sales"),
        ("sales@OURS.example.", RuleKind.EXACT, "sales"),
        ("sales*", RuleKind.PREFIX, "sales"),
        ("sales*@ours.example", RuleKind.PREFIX, "sales"),
        ("sales-", RuleKind.PREFIX, "sales-"),
        ("sales.", RuleKind.PREFIX, "sales."),
        ("a+b_c.d-e", RuleKind.EXACT, "a+b_c.d-e"),
        ("ignored\x00 rubbish", RuleKind.ANY, ""),
        ("*", RuleKind.CATCH_ALL, ""),
    ],
)
def test_what_stands_before_the_at_is_understood(typed, kind, match):
    assert clean_match(typed, kind=kind, domain=OURS) == match


@pytest.mark.parametrize(
    ("typed", "kind", "words"),
    [
        ("", RuleKind.EXACT, "Write what stands before the @"),
        ("*", RuleKind.EXACT, "choose “Any address” or “Catch-all”"),
        ("*", RuleKind.PREFIX, "choose “Any address” or “Catch-all”"),
        ("*@ours.example", RuleKind.EXACT, "choose “Any address” or “Catch-all”"),
        ("sales*", RuleKind.EXACT, "begin with “sales” choose “Prefix”"),
        ("a@other.example", RuleKind.EXACT, "choose other.example in the list"),
        ("a" * 65, RuleKind.EXACT, "at most 64 characters"),
        ("a b", RuleKind.EXACT, "Use letters from a to z"),
        ("müller", RuleKind.EXACT, "Use letters from a to z"),
        (".a", RuleKind.EXACT, "Use letters"),
        ("a.", RuleKind.EXACT, "Use letters"),
        ("a..b", RuleKind.PREFIX, "Use letters"),
        ("a\x01b", RuleKind.EXACT, "Use letters"),
        ("sa*les", RuleKind.PREFIX, "Use letters"),
    ],
)
def test_what_makes_no_local_part_is_refused_in_words(typed, kind, words):
    with pytest.raises(ValidationError) as refusal:
        clean_match(typed, kind=kind, domain=OURS)
    assert words in refusal.value.messages[0]


def test_an_address_too_long_as_a_whole_is_refused():
    with pytest.raises(ValidationError, match="254"):
        clean_match("a" * 64, kind=RuleKind.EXACT, domain=f"{'d' * 60}." * 3 + "x" * 30)


@pytest.mark.django_db
def test_shared_domains_and_those_we_do_not_have_are_refused():
    DomainFactory(name=OURS)
    DomainFactory(name="purelymail.com", is_shared=True)
    typed = {"kind": "exact", "match": "a", "targets": "a@x.example"}
    assert RuleForm(typed | {"domain": OURS}).is_valid()
    for name in ("purelymail.com", "else.example", "", "\x00"):
        form = RuleForm(typed | {"domain": name})
        assert list(form.errors) == ["domain"], name


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("exact", (False, False)),
        ("prefix", (True, False)),
        ("any", (True, False)),
        ("catch_all", (True, True)),
    ],
)
def test_each_kind_has_purelymails_form(kind, form):
    DomainFactory(name=OURS)
    filled = RuleForm({"kind": kind, "match": "a", "domain": OURS, "targets": "a@x.example"})
    assert filled.is_valid()
    draft = filled.draft()
    assert (draft.is_prefix, draft.is_catchall) == form
    assert draft.match_user == ("a" if kind in ("exact", "prefix") else "")
    assert draft.kind == kind
