"""Runs one program that never outlives its owner: `guard.py FD SCOPE SILENCE PROGRAM …`.

The owner (see `process.py`) holds the other end of the socket FD. When that end closes, the owner
is gone or wants the end: everything the program started is killed. With SILENCE above 0 the owner
must write something every so many seconds, so that an owner that hangs counts as gone as well.
Should we be stopped together with it, as when a whole machine freezes, a timer of the kernel's ends
us, and the program with us: what we guard never wakes up when somebody else has its work by then.
SIGTERM and SIGINT are passed on to the program, or to its whole process group when SCOPE is
`group`. The program's exit status, or the signal that killed it, becomes ours. Standard library
only, and started with `python -I -S`, because one stays beside each child.
"""

import contextlib
import ctypes
import functools
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
SWEEP_SECONDS = 5
FUSE_SECONDS = 1
"""How much later than ourselves the kernel acts."""
NOT_STARTED = 127

libc = ctypes.CDLL(None, use_errno=True)


class Event(ctypes.Structure):
    """`struct sigevent` of timer_create(2): what happens when the time is over."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),  # 0: by that signal
        ("rest", ctypes.c_char * 48),
    )


class Times(ctypes.Structure):
    """`struct itimerspec` of timer_settime(2)."""

    _fields_ = (
        ("every_seconds", ctypes.c_long),
        ("every_nanoseconds", ctypes.c_long),
        ("seconds", ctypes.c_long),
        ("nanoseconds", ctypes.c_long),
    )


class Fuse:
    """Kills us, stopped or not, unless lit anew in time; its clock also counts a machine's sleep.

    Without a limit to silence, or where the C library has no timers, it never does.
    """

    def __init__(self, silence: float) -> None:
        seconds = silence + FUSE_SECONDS if silence else 0
        self._times = Times(0, 0, int(seconds), int(seconds % 1 * 1e9))
        self._timer = ctypes.c_void_p()
        self._is_laid = seconds > 0 and hasattr(libc, "timer_create")
        if self._is_laid:
            event = Event(signal=signal.SIGKILL)
            libc.timer_create(time.CLOCK_BOOTTIME, ctypes.byref(event), ctypes.byref(self._timer))
        self.light()

    def light(self) -> None:
        """From now on it burns for its time."""
        if self._is_laid:
            libc.timer_settime(self._timer, 0, ctypes.byref(self._times), None)


def start(begin: Callable[[], NoReturn], started: int) -> int:
    """Fork the program into a session of its own, where `begin` runs it; it dies with us."""
    guard = os.getpid()
    handled = {*PASSED_ON, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, handled)
    child = os.fork()
    if child:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, handled)
        os.close(started)
        return child
    os.setsid()
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != guard:
        os._exit(NOT_STARTED)
    for number in (*handled, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, handled)
    try:
        begin()
    finally:
        os._exit(NOT_STARTED)


def let_go_of_files(keep: set[int]) -> None:
    """The program's files are the program's: a pipe we kept open would never end."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    close_files(keep | {0, 1, 2})


def close_files(keep: set[int]) -> None:
    """All but those."""
    highest = max((int(name) for name in os.listdir("/proc/self/fd")), default=1024)  # noqa: PTH208
    for number in range(highest + 1):
        if number not in keep:
            with contextlib.suppress(OSError):
                os.close(number)


def own_children() -> list[int]:
    """Our direct children: the program, and orphans below it, which the kernel hands to us."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as listing:  # noqa: PTH123
            return [int(word) for word in listing.read().split()]
    except OSError:
        return []


def send(pid: int, number: int, deliver: Callable[[int, int], None] = os.kill) -> None:
    """Send a signal to what may have ended already."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        deliver(pid, number)


def sweep(child: int) -> int | None:
    """Kill what the program left behind; it is our zombie still, so its number is its own."""
    send(child, signal.SIGKILL, os.killpg)
    send(child, signal.SIGKILL)
    status = None
    give_up = time.monotonic() + SWEEP_SECONDS
    while time.monotonic() < give_up:
        try:
            ended, code = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if ended == child:
            status = code
        elif not ended:
            for pid in own_children():
                send(pid, signal.SIGKILL)
            time.sleep(0.005)
    return status


def reap_orphans(child: int) -> bool:
    """Take leave of orphans that ended; says whether the program itself has."""
    while True:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return False
        if ended.si_pid == child:
            return True
        os.waitpid(ended.si_pid, 0)


def hears(line: socket.socket) -> bool:
    """Whether the owner wrote something, and not the end."""
    try:
        return bool(line.recv(64))
    except OSError:  # it died before it read what we wrote
        return False


def watch(
    child: int, line: socket.socket, wakeups: int, fuse: Fuse, *, scope: str, silence: float
) -> None:
    """Until the program ends or the owner is gone."""
    deliver = os.killpg if scope == "group" else os.kill
    heard = time.monotonic()
    while not reap_orphans(child):
        wait = max(heard + silence - time.monotonic(), 0) if silence else None
        readable = select.select([line.fileno(), wakeups], [], [], wait)[0]
        if wakeups in readable:
            for number in os.read(wakeups, 64):
                if number in PASSED_ON:
                    send(child, number, deliver)
        if line.fileno() in readable:
            if not hears(line):
                return
            fuse.light()
            heard = time.monotonic()
        elif silence and time.monotonic() >= heard + silence:
            return


def end_like(status: int | None) -> NoReturn:
    """Exit as the program did, death by signal included."""
    if status is None:
        os._exit(NOT_STARTED)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        signal.set_wakeup_fd(-1)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))


def keep_to_itself() -> None:
    """Nobody of the same user reads our memory, nor our environment, which is the program's."""
    libc.prctl(PR_SET_DUMPABLE, 0)


def adopt_orphans(*, does: bool = True) -> None:
    """What a process below us leaves behind becomes our child, or not any more."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, int(does))


def guard(
    line: socket.socket, begin: Callable[[], NoReturn], *, scope: str, silence: float
) -> NoReturn:
    """Run a program to its end, and end as it did."""
    keep_to_itself()
    adopt_orphans()
    wakeups, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    for number in (*PASSED_ON, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    exec_done, started = os.pipe()
    fuse = Fuse(silence)  # before the program, which is never without it
    child = start(begin, started)
    os.read(exec_done, 1)  # ends when the program runs, or could not be started
    let_go_of_files({line.fileno(), wakeups, wake})
    with contextlib.suppress(OSError):  # the owner may be gone already; the watch will see it
        line.send(b"%d\n" % child)
    try:
        watch(child, line, wakeups, fuse, scope=scope, silence=silence)
    finally:
        status = sweep(child)
    end_like(status)


def execute(argv: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Become the program."""
    try:
        os.execvpe(argv[0], [*argv], env)  # noqa: S606  no shell is the point
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    os._exit(NOT_STARTED)


def main() -> None:
    line = socket.socket(fileno=int(sys.argv[1]))
    line.set_inheritable(False)
    begin = functools.partial(execute, sys.argv[4:], os.environ)
    guard(line, begin, scope=sys.argv[2], silence=float(sys.argv[3]))


if __name__ == "__main__":
    main()
