"""What can go wrong in a run, and which exit value it leads to: imapsync's own values."""

from __future__ import annotations

import re
from collections import Counter
from enum import IntEnum
from typing import Literal

Stage = Literal["connect", "tls", "login", "lost", "fetch", "append", "folder", "flags", "other"]
SOURCE, DESTINATION = 1, 2


class Exit(IntEnum):
    """Exit values."""

    OK = 0
    BY_SIGNAL = 6
    TLS = 12
    USAGE = 64
    NO_INPUT = 66
    SOFTWARE = 70
    CONNECTION_1 = 101
    CONNECTION_2 = 102
    WITH_ERRORS = 111
    OVER_QUOTA = 113
    APPEND = 114
    FETCH = 115
    CREATE = 116
    EXCEEDED = 118
    FLAGS = 120
    LOGIN_1 = 161
    LOGIN_2 = 162


class TroubleError(Exception):
    """Something failed at one end; `text` is what the server or the network said."""

    def __init__(self, stage: Stage, side: int, text: str) -> None:
        super().__init__(text)
        self.stage = stage
        self.side = side
        self.text = text


class LostError(TroubleError):
    """A connection is gone; it may be opened again."""

    def __init__(self, side: int, text: str) -> None:
        super().__init__("lost", side, text)


class GoneError(TroubleError):
    """A connection is gone and did not come back."""

    def __init__(self, side: int, text: str) -> None:
        super().__init__("lost", side, text)


class Stopped(BaseException):
    """SIGTERM came. Not an Exception, so that nothing takes it for a failed message."""


_OVER_QUOTA = re.compile(r"OVERQUOTA|quota", re.IGNORECASE)


def is_over_quota(text: str) -> bool:
    """Whether a refusal says that the mailbox is full."""
    return bool(_OVER_QUOTA.search(text))


def exit_value(trouble: TroubleError) -> Exit:
    """The exit value one trouble stands for."""
    is_source = trouble.side == SOURCE
    if trouble.stage == "append" and is_over_quota(trouble.text):
        return Exit.OVER_QUOTA
    by_stage = {
        "connect": Exit.CONNECTION_1 if is_source else Exit.CONNECTION_2,
        "tls": Exit.TLS,
        "login": Exit.LOGIN_1 if is_source else Exit.LOGIN_2,
        "lost": Exit.FETCH if is_source else Exit.APPEND,
        "fetch": Exit.FETCH,
        "append": Exit.APPEND,
        "folder": Exit.CREATE,
        "flags": Exit.FLAGS,
    }
    return by_stage.get(trouble.stage, Exit.WITH_ERRORS)


def most_frequent(values: Counter[Exit]) -> Exit:
    """The exit value of a run: the most frequent one, the lower where they are even."""
    return min(values, key=lambda value: (-values[value], value)) if values else Exit.OK


class GiveUp(Exception):  # noqa: N818  an ending, not an error
    """The run makes no sense any more; `status` says why."""

    def __init__(self, status: Exit) -> None:
        super().__init__(status)
        self.status = status
