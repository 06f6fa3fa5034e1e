"""What mailbox pages know of migrations. The app of migrations, which is above, registers it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Move:
    """One migration into a mailbox, as a mailbox page shows it."""

    name: str
    url: str
    state: str
    """As `{% job_state %}` knows it."""
    percent: int | None = None
    """How far a running one is, where that is known."""
    moved_at: datetime | None = None
    """When it ended well; None for all others."""
    is_dry_run: bool = False


@dataclass
class MoveBook:
    """The questions mailbox pages ask: the last per address, the latest of one, the unfinished.

    `renamed` tells the old and the new address of a mailbox.
    """

    last: Callable[[Collection[str]], Mapping[str, Move]]
    latest: Callable[[str], list[Move]]
    unfinished: Callable[[str], list[str]]
    renamed: Callable[[str, str], None]


book = MoveBook(
    last=lambda _addresses: {},
    latest=lambda _address: [],
    unfinished=lambda _address: [],
    renamed=lambda _old, _new: None,
)


def register(
    *,
    last: Callable[[Collection[str]], Mapping[str, Move]],
    latest: Callable[[str], list[Move]],
    unfinished: Callable[[str], list[str]],
    renamed: Callable[[str, str], None],
) -> None:
    """Let migrations answer and be told; called in their `AppConfig.ready`."""
    book.last = last
    book.latest = latest
    book.unfinished = unfinished
    book.renamed = renamed
