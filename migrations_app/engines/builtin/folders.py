"""Which folder goes where: prefixes, separators and special folders, mapped as imapsync does.

Names are the servers' own (modified UTF-7), because imapsync compares and sorts those.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from imapclient.exceptions import IMAPClientError
from imapclient.imap_utf7 import encode

from migrations_app.engines.builtin.session import Session, said
from migrations_app.engines.builtin.troubles import TroubleError
from migrations_app.engines.wording import readable_folder

_USES = ("All", "Archive", "Drafts", "Flagged", "Junk", "Sent", "Trash")
_USE = re.compile(rb"\\(?:%s)" % "|".join(_USES).encode())
_UNSELECTABLE = {b"\\noselect", b"\\nonexistent"}

_KNOWN_NAMES = {
    "All": "All|All Messages|Все",  # noqa: RUF001  Russian
    "Archive": "Archive|Archives|Архив",
    "Drafts": "Drafts|DRAFTS|Черновики|Szkice|Wersje robocze",
    "Flagged": "Flagged|Starred|Помеченные",
    "Junk": "Junk|junk|Spam|SPAM|Junk E-Mail|Junk Email|Спам|Potwierdzony spam|Wiadomości-śmieci",
    "Sent": "Sent|Sent Messages|Sent Items|Gesendete Elemente|Gesendete Objekte"
    "|Éléments envoyés|E\u0301le\u0301ments envoye\u0301s|Envoyé|Objets envoyés"
    "|Elementos enviados|Posta inviata|Elementy wysłane|送信済みアイテム|Отправленные",
    "Trash": "Trash|TRASH|Deleted Items|Deleted Messages|Kosz|Удаленные|Корзина",
}
_USE_OF_NAME = {
    encode(name).decode("ascii"): use
    for use, names in _KNOWN_NAMES.items()
    for name in names.split("|")
}


@dataclass
class Folders:
    """One end's folders."""

    names: list[str]
    """All of them, sorted."""
    unselectable: set[str]
    prefix: str
    separator: str
    special: dict[str, str] = field(default_factory=dict)
    """Use → folder, as the server says."""

    def guessed(self) -> dict[str, str]:
        """Folder → use, by its name."""
        uses = {}
        for name in self.names:
            use = _USE_OF_NAME.get(name) or _USE_OF_NAME.get(name.removeprefix(self.prefix))
            if use:
                uses[name] = use
        return uses


def read_folders(session: Session) -> Folders:
    """List one end."""
    try:
        with session.talking() as client:
            listed = client.list_folders()
            namespace = client.namespace() if client.has_capability("NAMESPACE") else None
    except IMAPClientError as error:
        raise TroubleError("folder", session.side, said(error)) from error
    entries = sorted((_name(name), flags, delimiter) for flags, delimiter, name in listed)
    names = [name for name, _flags, _delimiter in entries]
    separator = next((mark.decode() for _name_, _flags, mark in entries if mark), "/")
    prefix = _guessed_prefix(names)
    if namespace is not None and namespace.personal:
        prefix, mark = namespace.personal[0]
        prefix = _name(prefix)
        separator = mark or separator
    special: dict[str, str] = {}
    for name, flags, _delimiter in entries:
        use = next((flag[1:].decode() for flag in flags if _USE.match(flag)), "")
        if use:
            special.setdefault(use, name)
    closed = {name for name, flags, _ in entries if {f.lower() for f in flags} & _UNSELECTABLE}
    return Folders(names, closed, prefix, separator, special)


def in_order(name: str) -> tuple[bool, str, str]:
    """The inbox first, then as people read the names: “Überstunden” after “Archive”."""
    letters = unicodedata.normalize("NFD", readable_folder(name).casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return name.upper() != "INBOX", plain, name


def _name(name: str | bytes) -> str:
    return name.decode("ascii", "replace") if isinstance(name, bytes) else name


def _guessed_prefix(names: Iterable[str]) -> str:
    """For servers without NAMESPACE: everything below the inbox means that it is the prefix."""
    prefix = ""
    for name in names:
        if name.upper() == "INBOX":
            continue
        match = re.match(r"INBOX[./]", name, re.IGNORECASE)
        if not match:
            return ""
        prefix = match[0]
    return prefix


def map_folders(source: Folders, destination: Folders, *, by_use: bool) -> dict[str, str]:
    """Source folder → destination folder."""
    automatic = _by_use(source, destination) if by_use else {}
    return {name: automatic.get(name) or _moved(name, source, destination) for name in source.names}


def _by_use(source: Folders, destination: Folders) -> dict[str, str]:
    use_of = {name: use for use, name in source.special.items()}
    guessed = source.guessed()
    target: dict[str, str] = {}
    for name, use in destination.guessed().items():
        target.setdefault(use, name)
    target.update(destination.special)
    mapped = {}
    for name in source.names:
        use = use_of.get(name) or guessed.get(name, "")
        if use in target:
            mapped[name] = target[use]
    return mapped


def _moved(name: str, source: Folders, destination: Folders) -> str:
    """Without the old prefix, with the separators changed over, with the new prefix."""
    if name in {"", source.prefix}:
        return "INBOX"
    path = name.removeprefix(source.prefix)
    old, new = source.separator, destination.separator
    if old != new:
        path = path.translate({ord(old): new, ord(new): old})
        if old == "/":
            path = path.replace("/", "_")
    if path.upper() == "INBOX":
        return "INBOX"
    return destination.prefix + path
