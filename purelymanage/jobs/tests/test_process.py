from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from purelymanage.jobs import process
from purelymanage.jobs.process import Child
from purelymanage.jobs.tests.processes import gone, processes_with, settles

pytestmark = pytest.mark.once

SLEEPER = "import time; time.sleep(300)"


@pytest.fixture(autouse=True, params=[False, True], ids=["alone", "forked"])
def forks(request, monkeypatch) -> bool:
    """Whoever starts the guard, it guards alike."""
    monkeypatch.setattr(f"{__name__}.Child", partial(process.Child, forks=request.param))
    return bool(request.param)


@pytest.fixture
def marker(tmp_path: Path) -> str:
    """A word that only this test's processes have on their command lines."""
    return f"marker-{os.getpid()}-{tmp_path.name}"


def family(marker: str, *, deaf: bool = False) -> list[str]:
    """A program with a child in its group and one that hides in a session of its own."""
    code = (
        "import signal, subprocess, sys, time\n"
        f"signal.signal(signal.SIGTERM, signal.SIG_{'IGN' if deaf else 'DFL'})\n"
        f"argv = [sys.executable, '-c', {SLEEPER!r}, {marker!r}]\n"
        "subprocess.Popen(argv)\n"
        "subprocess.Popen(argv, start_new_session=True)\n"
        "time.sleep(300)"
    )
    return [sys.executable, "-c", code, marker]


def test_the_status_is_the_programs():
    assert Child(["sh", "-c", "exit 3"]).wait(5) == 3
    assert Child(["true"]).wait(5) == 0
    assert Child(["sh", "-c", "kill -9 $$"]).wait(5) == -9
    assert Child(["sh", "-c", "kill -15 $$"]).wait(5) == -15


def test_a_program_that_does_not_exist_says_so(capfd):
    assert Child(["/nowhere/program"]).wait(5) == 127
    assert "/nowhere/program: No such file" in capfd.readouterr().err


def test_output_ends_when_the_program_does_although_a_child_of_it_lives(marker):
    reading, writing = os.pipe()
    child = Child(
        ["sh", "-c", f"{sys.executable} -c '{SLEEPER}' {marker} & echo said"], stdout=writing
    )
    os.close(writing)
    with os.fdopen(reading, "rb") as output:
        assert output.read() == b"said\n"
    assert child.wait(5) == 0
    assert processes_with(marker) == []


@pytest.mark.parametrize("is_deaf", [False, True])
def test_kill_leaves_nothing_of_a_family(marker, is_deaf):
    child = Child(family(marker, deaf=is_deaf))
    assert settles(lambda: len(processes_with(marker)) >= 4)
    assert child.kill() == -9
    assert processes_with(marker) == []


def test_sigterm_goes_to_the_program_alone_or_to_its_group(tmp_path):
    code = (
        "trap 'echo parent >> {0}; sleep 0.3; exit 0' TERM; "
        "(trap 'echo child >> {0}; exit 0' TERM; while :; do sleep 0.1; done) & "
        "touch {0}; while :; do sleep 0.1; done"
    )
    for scope, expected in (("program", {"parent"}), ("group", {"parent", "child"})):
        said = tmp_path / scope
        child = Child(["sh", "-c", code.format(said)], scope=scope)
        assert settles(said.exists)
        time.sleep(0.2)
        child.terminate()
        child.wait(5)
        assert set(said.read_text().split()) == expected


def test_the_owners_sudden_death_ends_all(marker, forks):
    code = (
        "import time\n"
        "from purelymanage.jobs.process import Child\n"
        f"child = Child({family(marker, deaf=True)!r}, forks={forks})\n"
        "time.sleep(300)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code])
    assert settles(lambda: len(processes_with(marker)) >= 5)
    owner.kill()
    owner.wait()
    assert settles(lambda: not processes_with(marker))


def test_the_guards_sudden_death_ends_the_group(marker):
    child = Child([sys.executable, "-c", SLEEPER, marker])
    assert settles(lambda: len(processes_with(marker)) >= 2)
    os.kill(child.guard_pid, signal.SIGKILL)
    assert child.wait(5) == -9
    assert settles(lambda: not processes_with(marker))


def test_a_stopped_guard_does_not_save_its_program(marker, monkeypatch):
    monkeypatch.setattr("purelymanage.jobs.process.KILL_SECONDS", 0.5)
    child = Child([sys.executable, "-c", SLEEPER, marker])
    assert settles(lambda: len(processes_with(marker)) >= 2)
    os.kill(child.guard_pid, signal.SIGSTOP)
    assert child.kill() == -9
    assert settles(lambda: not processes_with(marker))


def test_a_guard_stopped_before_it_said_a_word_holds_nobody_up(marker, monkeypatch):
    monkeypatch.setattr("purelymanage.jobs.process.KILL_SECONDS", 0.3)
    child = Child([sys.executable, "-c", SLEEPER, marker])
    os.kill(child.guard_pid, signal.SIGSTOP)
    assert child.kill() == -signal.SIGKILL
    assert settles(lambda: not processes_with(marker))


def test_the_programs_own_files_reach_it_and_the_guards_line_does_not():
    fd = os.memfd_create("x")
    os.write(fd, b"inside")
    reading, writing = os.pipe()
    child = Child(
        ["sh", "-c", f"cat /dev/fd/{fd}; echo; ls /proc/self/fd | tr '\\n' ' '"],
        stdout=writing,
        pass_fds=[fd],
    )
    os.close(writing)
    with os.fdopen(reading) as output:
        content, files = output.read().split("\n")
    child.wait(5)
    os.close(fd)
    assert content == "inside"
    assert set(files.split()) <= {"0", "1", "2", "3", str(fd)}


def test_an_owner_that_falls_silent_counts_as_gone(marker):
    child = Child([sys.executable, "-c", SLEEPER, marker], silence=0.6)
    for _ in range(10):
        time.sleep(0.1)
        child.still_here()
    assert child.poll() is None
    assert child.wait(3) == -9
    assert processes_with(marker) == []


def test_a_program_that_is_stopped_with_its_guard_and_owner_is_killed_all_the_same(marker):
    """As when a whole host freezes: its jobs run elsewhere by the time it wakes."""
    child = Child([sys.executable, "-c", SLEEPER, marker], silence=1)
    child.wait_for_start()
    frozen = processes_with(marker)
    assert len(frozen) == 2, "guard and program"
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    assert settles(lambda: gone(frozen), 5)
    assert child.poll() == -9


def test_a_zombie_orphan_is_not_taken_for_the_program(marker):
    """The guard inherits orphans; the end of one is not the end of the program."""
    child = Child(["sh", "-c", "(sleep 0.1 &) ; sleep 0.6; exit 4"])
    assert child.wait(0.4) is None
    assert child.wait(5) == 4
