"""Child processes that cannot outlive us, with everything they start themselves.

Between us and the program stands a small guard (`guard.py`). It watches a socket whose other end
only we hold, so even our sudden death ends the program and all that is below it.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, Protocol

from purelymanage.jobs import forkserver
from purelymanage.jobs.forkserver import Request

logger = logging.getLogger(__name__)

GUARD = Path(__file__).with_name("guard.py")
KILL_SECONDS = 6.0


class Guard(Protocol):
    """Our child process, as `subprocess.Popen` has it."""

    pid: int
    returncode: int | None

    def wait(self) -> int:
        """Its exit status, once it has ended."""
        ...


class Fork:
    """A guard from the fork server."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def wait(self) -> int:
        self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode


class Child:
    """A program under guard, in a session of its own.

    `scope` says who gets our SIGTERM: the program alone (a cluster's main process, which stops its
    own workers) or its whole process group (an engine). With `silence`, the program is killed when
    we have not said `still_here` for so many seconds: even a stopped or hanging owner is safe.
    Where many are started one after the other, `forks` saves most of the time that takes; a program
    `[python, -I, script, …]` may then name the modules that are to be loaded already.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        scope: Literal["program", "group"] = "program",
        silence: float = 0,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
        pass_fds: Sequence[int] = (),
        forks: bool = False,
        preload: Sequence[str] = (),
    ) -> None:
        request = Request(
            argv=argv,
            scope=scope,
            silence=silence,
            env=dict(os.environ if env is None else env),
            cwd=str(cwd) if cwd else None,
            files=pass_fds,
            preload=preload,
        )
        output = 1 if stdout is None else stdout
        errors = 2 if stderr is None else stderr
        start = self._fork if forks else self._execute
        self._guard = start(request, output, errors)
        self._pid: int | None = None

    def _execute(self, request: Request, output: int, errors: int) -> Guard:
        """A guard that is a Python of its own."""
        with self._new_line() as theirs:
            number = theirs.fileno()
            guard = [sys.executable, "-I", "-S", str(GUARD), str(number)]
            return subprocess.Popen(
                [*guard, request.scope, str(request.silence), *request.argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env=request.env,
                cwd=request.cwd,
                pass_fds=(*request.files, number),
                start_new_session=True,
            )

    def _fork(self, request: Request, output: int, errors: int) -> Guard:
        """A guard from the fork server, or where that fails as without it."""
        try:
            with self._new_line() as theirs:
                files = [theirs.fileno(), output, errors, *request.files]
                return Fork(forkserver.server().fork(request, files))
        except OSError as error:
            logger.warning("No fork server: %s", error)
            return self._execute(request, output, errors)

    @contextmanager
    def _new_line(self) -> Iterator[socket.socket]:
        """The guard's end of the socket by which it sees whether we are there."""
        self._line, theirs = socket.socketpair()
        self._line.settimeout(KILL_SECONDS)  # a guard that was stopped at once says nothing
        with theirs:
            try:
                yield theirs
            except BaseException:
                self._line.close()
                raise

    @property
    def guard_pid(self) -> int:
        return self._guard.pid

    @property
    def pid(self) -> int | None:
        """The program's process id and group, once it runs; None if it never did."""
        if self._pid is None:
            with suppress(OSError):
                self._pid = int(self._line.recv(32) or 0) or None
        return self._pid

    def wait_for_start(self) -> None:
        """Until the program runs, or turned out not to exist; from then on `fileno` is quiet."""
        _ = self.pid

    def fileno(self) -> int:
        """For `select`: readable when it has ended, and at its start unless that was waited for."""
        return self._line.fileno()

    def poll(self) -> int | None:
        """The exit status as in `subprocess`, or None while it runs. The first answer sweeps."""
        if self._guard.returncode is None and self._has_ended():
            self._sweep()
            self._guard.wait()
            self.close()
        return self._guard.returncode

    def wait(self, seconds: float) -> int | None:
        """Wait for the end; None if it did not come in time."""
        give_up = time.monotonic() + seconds
        pause = 0.002
        while (status := self.poll()) is None and time.monotonic() < give_up:
            time.sleep(pause)
            pause = min(pause * 2, 0.05)
        return status

    def still_here(self) -> None:
        """Tell the guard that its owner is well."""
        with suppress(OSError):
            self._line.send(b".", socket.MSG_DONTWAIT)

    def terminate(self) -> None:
        """Ask it to end."""
        if self._guard.returncode is None:
            os.kill(self._guard.pid, signal.SIGTERM)

    def kill(self) -> int | None:
        """End it now, with everything it started."""
        if self.poll() is not None:
            return self._guard.returncode
        self.wait_for_start()
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_WR)
        status = self.wait(KILL_SECONDS)
        if status is None:
            # Somebody stopped the guard itself; without it the sweep is ours.
            os.kill(self._guard.pid, signal.SIGKILL)
            status = self.wait(KILL_SECONDS)
        return status

    def close(self) -> None:
        """Let go of our end; a running program is killed by that."""
        self._line.close()

    def _has_ended(self) -> bool:
        """Whether the guard ended; it stays a zombie, so that no number is given away yet."""
        return (
            os.waitid(os.P_PID, self._guard.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        )

    def _sweep(self) -> None:
        """If the guard was killed, it could not clear up. A group's number stays its members'."""
        if self.pid:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
