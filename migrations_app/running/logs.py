"""A job's log: lines `<ISO time> <level> <words>`, stored in chunks so that any host shows them.

One run writes at a time, in the transaction that proves its token; so chunk ids only grow, and
"everything after id n" has neither repeats nor gaps.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models.functions import Length
from django.utils import timezone
from django.utils.translation import gettext as _

from migrations_app.engines.base import Level
from migrations_app.models import LogChunk, MigrationJob

CHUNK_CHARACTERS = 200_000
LINE_CHARACTERS = 4_000
NEWEST_CHUNKS = 50
HEAD_CHARACTERS = 1_000_000
TAIL_CHARACTERS = 2_000_000
"""So much stays of a log that grew too long."""
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True)
class Tail:
    """What is new in a log, and where to go on from."""

    text: str
    last_id: int
    is_cut: bool = False
    """Whether older lines were left out; the download has them all."""


def line(words: str, *, level: Level = "info", at: datetime | None = None) -> str:
    """One stored line, with its end. What could break a line or a terminal becomes a space."""
    moment = (at or timezone.now()).isoformat(timespec="milliseconds")
    words = CONTROL.sub(" ", words)
    if len(words) > LINE_CHARACTERS:
        words = words[:LINE_CHARACTERS] + "…"
    return f"{moment} {level} {words}\n"


def append(job: MigrationJob, text: str) -> None:
    """Add lines to the log of the job's present run. Call it in the run's transaction."""
    LogChunk.objects.bulk_create(
        LogChunk(job=job, run=job.run, text=piece) for piece in _pieces(text)
    )


def make_room(job: MigrationJob) -> None:
    """The middle of a log that grew too long gives way to one line."""
    sized = job.log_chunks.order_by("pk").annotate(size=Length("text"))
    chunks = list(sized.values_list("pk", "size"))
    head = _first_within(HEAD_CHARACTERS, chunks)
    end = _first_within(TAIL_CHARACTERS, reversed(chunks[len(head) :]))
    middle = [pk for pk, _size in chunks[len(head) : len(chunks) - len(end)]]
    if not middle:
        return
    words = _("Lines are left out here: the log grew too long.")
    gap = job.log_chunks.filter(pk__in=head[-1:], text__endswith=f"{words}\n")
    with transaction.atomic():
        if not gap.exists():
            job.log_chunks.filter(pk=middle.pop(0)).update(text=line(words, level="warning"))
        if middle:
            job.log_chunks.filter(pk__range=(middle[0], middle[-1])).delete()


def _first_within(most: int, chunks: Iterable[tuple[int, int]]) -> list[int]:
    """The first chunks that are no longer than `most` characters together."""
    found = []
    for pk, size in chunks:
        most -= size
        if most < 0:
            break
        found.append(pk)
    return found


def tail(job: MigrationJob, *, after_id: int = 0) -> Tail:
    """The lines after chunk `after_id`; from the start (0) only the newest ones."""
    chunks = job.log_chunks.filter(pk__gt=after_id).order_by("-pk")
    newest = list(chunks[: NEWEST_CHUNKS + 1] if after_id == 0 else chunks)
    is_cut = after_id == 0 and len(newest) > NEWEST_CHUNKS
    shown = newest[:NEWEST_CHUNKS] if is_cut else newest
    return Tail(
        text="".join(chunk.text for chunk in reversed(shown)),
        last_id=shown[0].pk if shown else after_id,
        is_cut=is_cut,
    )


def stream(job: MigrationJob) -> Iterator[str]:
    """The whole log, piece by piece."""
    texts = job.log_chunks.order_by("pk").values_list("text", flat=True)
    yield from texts.iterator(chunk_size=20)


def _pieces(text: str) -> Iterator[str]:
    """Cut at line ends, so that a chunk always holds whole lines."""
    while len(text) > CHUNK_CHARACTERS:
        end = text.rfind("\n", 0, CHUNK_CHARACTERS) + 1 or CHUNK_CHARACTERS
        yield text[:end]
        text = text[end:]
    if text:
        yield text
