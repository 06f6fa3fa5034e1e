"""SPF records, as far as one has to read them to say whether PurelyMail may send (RFC 7208)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domains.expected import SPF_HOST

VERSION = "v=spf1"
QUALIFIERS = "+-~?"
OURS = f"include:{SPF_HOST}"
SOFTEST_FIRST = ("~all", "?all", "-all")
CUT = "…"


def is_spf(text: str) -> bool:
    """Whether a TXT is an SPF record: other ones are none of SPF's business."""
    return text.split(" ", 1)[0].lower() == VERSION


@dataclass(frozen=True)
class Spf:
    """One record as a list of terms, lower case, final dots gone, a plain `+` left out."""

    terms: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Spf:
        terms = (term.lower().removesuffix(".").removeprefix("+") for term in text.split()[1:])
        return cls(tuple(terms))

    @property
    def everything(self) -> str:
        """The first term that matches every sender: `all`, `-all`, …; what follows is not read."""
        return next((term for term in self.terms if term.lstrip(QUALIFIERS) == "all"), "")

    @property
    def _read(self) -> tuple[str, ...]:
        end = self.terms.index(self.everything) if self.everything else len(self.terms)
        return self.terms[:end]

    @property
    def lets_purelymail_send(self) -> bool:
        """Whether PurelyMail's servers pass; a redirect counts only where no `all` stands."""
        redirected = f"redirect={SPF_HOST}" in self.terms and not self.everything
        return redirected or any(term in (OURS, f"?{OURS}") for term in self._read)

    @property
    def refuses_purelymail(self) -> bool:
        """Whether PurelyMail is named, but as one whose mail is to fail."""
        return any(term in (f"-{OURS}", f"~{OURS}") for term in self._read)

    @property
    def names_purelymail_too_late(self) -> bool:
        """Whether our term stands where nobody reads it any more."""
        return any(term.lstrip(QUALIFIERS) == OURS for term in self.terms)


def merged(texts: Sequence[str]) -> str:
    """One record that says what all of these say and lets PurelyMail send; empty if unsure."""
    if not texts or any(text.endswith(CUT) for text in texts):
        return ""
    terms: dict[str, None] = {OURS: None}
    redirects: dict[str, None] = {}
    endings = set()
    for text in texts:
        for term in text.split()[1:]:
            plain = term.lower().removesuffix(".").lstrip(QUALIFIERS)
            if plain == "all":
                endings.add(term.lower())
            elif plain.startswith("redirect="):
                redirects[term.partition("=")[2]] = None
            elif plain != OURS:
                terms[term] = None
    ending = next((one for one in SOFTEST_FIRST if one in endings), "~all")
    if redirects and not endings and len(texts) == 1:
        ending = f"redirect={next(iter(redirects))}"
    elif not endings:
        terms |= {f"include:{host}": None for host in redirects}
    return " ".join([VERSION, *terms, ending])
