"""Keeps what a process holds in memory from core dumps and from other processes of its user.

Standard library only: the built-in engine, which holds two passwords, uses it as well.
"""

from __future__ import annotations

import contextlib
import ctypes
import resource

PR_SET_DUMPABLE = 4
NO_CORE = 1
"""Bytes. With 0 the kernel still feeds a program that collects core dumps; with 1 it does not."""


def keep() -> None:
    """No core dump of this process, nor of those it starts; on Linux its memory, environment and
    open files in /proc are root's alone, until it executes another program."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    most = NO_CORE if hard == resource.RLIM_INFINITY else min(NO_CORE, hard)
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))
    with contextlib.suppress(AttributeError, OSError):  # elsewhere there is no prctl
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0)
