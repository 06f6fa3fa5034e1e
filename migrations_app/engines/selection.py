"""Which source folders a job copies: one pattern per readable name, the same for every engine.

The patterns are matched against the server's own names (modified UTF-7), and are written so that
Perl and Python read them alike. Pure Python: the built-in engine runs without Django.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from imapclient.imap_utf7 import encode

SEPARATORS = "./"


def folder_pattern(name: str) -> str:
    """A pattern for the folder of this readable name and all below it.

    A leading `INBOX.` or `INBOX/` may be left out, and either separator may be written.
    The inbox itself never brings along what servers file below it.
    """
    name = name.strip(SEPARATORS) if name not in SEPARATORS else name
    if name.upper() == "INBOX":
        return "^(?i:INBOX)$"
    name = re.sub("^INBOX[./]", "", name, flags=re.IGNORECASE)
    words = "".join(_escaped(character) for character in encode(name).decode("ascii"))
    return rf"^(?i:INBOX[./\\])?{words}(?:[./\\].*)?$"


def _escaped(character: str) -> str:
    if character in SEPARATORS:
        return r"[./\\]"
    return character if character.isalnum() else rf"\{character}"


def is_selected(mailbox: str, *, include: Iterable[str], exclude: Iterable[str]) -> bool:
    """Whether to copy the mailbox of this server name (modified UTF-7)."""
    wanted = [folder_pattern(name) for name in include]
    unwanted = [folder_pattern(name) for name in exclude]
    if wanted and not any(re.search(pattern, mailbox) for pattern in wanted):
        return False
    return not any(re.search(pattern, mailbox) for pattern in unwanted)
