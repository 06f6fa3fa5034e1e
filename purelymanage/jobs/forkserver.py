"""Starts guards (`guard.py`) by forking, which takes a tenth of the time that a new Python takes.

A worker that starts one engine after the other keeps one fork server beside it (`ForkServer`). The
server holds no secret and no file of the worker's: for each program it gets a request over a
socket, with the files that the program is to have. Its forks are handed to the worker as children
of its own, so that they are watched and swept as if the worker had started them. A program in
Python may have its modules loaded here beforehand; it goes on in the fork and finds nothing of the
one before. When the worker is gone, so is the server. Standard library only.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import ctypes
import errno
import fcntl
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
if not __package__:  # run by its path, without the way to any module of ours
    sys.path.insert(0, str(ROOT))

from purelymanage.jobs import guard  # noqa: E402  by the way just named

ANSWER_SECONDS = 6.0
MOST_BYTES = 100_000
MOST_FILES = 16
TITLE_ROOM = 4000
ENVIRONMENT = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PATH": os.defpath}


@dataclass(frozen=True)
class Request:
    """What is to be started, as `process.Child` was asked for it."""

    argv: Sequence[str]
    scope: str
    silence: float
    env: Mapping[str, str]
    cwd: str | None
    files: Sequence[int]
    """The numbers that the program knows its files by."""
    preload: Sequence[str] = field(default=())
    """Modules of the program `[python, -I, script, …]` that are loaded once for all."""


class ForkServer:
    """The worker's side. Raises OSError where no fork is to be had; the long way is still open."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._asking = threading.Lock()
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line.settimeout(ANSWER_SECONDS)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", __file__, str(theirs.fileno()), " " * TITLE_ROOM],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=ENVIRONMENT,
                cwd="/",
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        atexit.register(self.close)

    def fork(self, request: Request, files: Sequence[int]) -> int:
        """The process id of the guard. `files`: its line to us, output, errors, then the others."""
        with self._asking:
            guard.adopt_orphans()  # the fork is one by the time of the answer
            try:
                message = json.dumps(asdict(request)).encode()
                if len(message) > MOST_BYTES:
                    raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
                socket.send_fds(self._line, [message], list(files))
                pid = int(self._line.recv(32) or 0)
            except OSError:
                self.close()
                raise
            finally:
                guard.adopt_orphans(does=False)
        if not pid:
            raise ChildProcessError("The fork server did not fork.")
        return pid

    @property
    def is_ours(self) -> bool:
        """False in a fork of the process that started it, and once it ended."""
        return self.owner == os.getpid() and self._process.poll() is None

    def close(self) -> None:
        """End it, if it is ours; what it started goes on."""
        if self.owner != os.getpid():
            return
        self._line.close()
        self._process.kill()
        self._process.wait()


_server: ForkServer | None = None


def server() -> ForkServer:
    """The fork server of this process."""
    global _server
    if _server is None or not _server.is_ours:
        _server = ForkServer()
    return _server


def serve(line: socket.socket) -> None:
    """Fork for each request, until the owner is gone."""
    room = socket.CMSG_SPACE(MOST_FILES * array.array("i").itemsize)
    while True:
        message, ancillary, _flags, _address = line.recvmsg(MOST_BYTES, room)
        if not message:
            return
        files = array.array("i")
        for _level, _type, data in ancillary:
            files.frombytes(data[: len(data) - len(data) % files.itemsize])
        try:
            pid = fork(Request(**json.loads(message)), list(files))
        except Exception:  # noqa: BLE001  the owner has another way
            traceback.print_exc()
            pid = 0
        finally:
            for file in files:
                os.close(file)
        line.send(b"%d" % pid)


def fork(request: Request, files: list[int]) -> int:
    """The guard's process id; its parent is gone when we return, so that it is the owner's."""
    preload(request.preload)
    reading, writing = os.pipe()
    between = os.fork()
    if not between:
        pid = os.fork()
        if pid:
            os.write(writing, b"%d" % pid)
            os._exit(0)
        stand_guard(request, files)
    os.close(writing)
    with open(reading, "rb") as answer:  # noqa: PTH123  a descriptor, not a path
        os.waitpid(between, 0)
        return int(answer.read(32) or 0)


def preload(modules: Sequence[str]) -> None:
    """Load what is not loaded yet; its memory is shared by all forks."""
    missing = [name for name in modules if name not in sys.modules]
    for name in missing:
        importlib.import_module(name)
    if missing:
        gc.collect()
        gc.freeze()


def stand_guard(request: Request, files: list[int]) -> NoReturn:
    """Become the guard of what was asked for."""
    try:
        os.setsid()
        out_of_the_way = max([2, *request.files]) + 1
        line, *others = (fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, out_of_the_way) for file in files)
        places = dict(zip((1, 2, *request.files), others, strict=True))
        for place, file in places.items():
            os.dup2(file, place)
        guard.close_files(keep={0, *places, line})
        os.chdir(request.cwd or "/")
        rename([sys.executable, guard.__file__, request.scope, *request.argv])
        program = partial(guard.execute, request.argv, request.env)
        begin = partial(go_on, request) if request.preload else program
        guard.guard(socket.socket(fileno=line), begin, scope=request.scope, silence=request.silence)
    except BaseException:  # noqa: BLE001  whatever it is, it ends with this process
        traceback.print_exc()
    finally:
        os._exit(guard.NOT_STARTED)


def go_on(request: Request) -> NoReturn:
    """Run the script `[python, -I, script, …]` in this process, which has its modules."""
    status: object = 1
    try:
        guard.close_files(keep={0, 1, 2, *request.files})
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_IGN)  # as Python starts
        os.environ.clear()
        os.environ.update(request.env)
        rename(request.argv)
        _python, _isolated, script, *arguments = request.argv
        sys.argv = [script, *arguments]
        runpy.run_path(script, run_name="__main__")
        status = 0
    except SystemExit as end:
        status = end.code
    except BaseException:  # noqa: BLE001  as Python ends
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os._exit(status if isinstance(status, int) else int(status is not None))


def rename(argv: Sequence[str]) -> None:
    """Have this process listed with `argv`, as far as there is room for it."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        facts = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = int(facts[45]), int(facts[46])
        words = " ".join(argv).encode(errors="surrogateescape")[: end - start - 2]
        # An end without NUL tells the kernel that only what stands before the first one counts.
        ctypes.memmove(start, words.ljust(end - start - 1, b"\0") + b".", end - start)


if __name__ == "__main__":
    guard.keep_to_itself()
    with socket.socket(fileno=int(sys.argv[1])) as owner:
        owner.set_inheritable(False)
        rename(sys.orig_argv[:3])
        serve(owner)
