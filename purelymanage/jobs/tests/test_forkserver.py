from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from purelymanage.jobs import forkserver
from purelymanage.jobs.process import Child
from purelymanage.jobs.tests.processes import settles

pytestmark = pytest.mark.once


@pytest.fixture
def server(monkeypatch) -> forkserver.ForkServer:
    """One of this test's own, as `Child` finds it."""
    server = forkserver.ForkServer()
    monkeypatch.setattr(forkserver, "_server", server)
    return server


def run(argv: list[str], **facts) -> tuple[int | None, str]:
    """Status and output."""
    reading, writing = os.pipe()
    child = Child(argv, stdout=writing, stderr=writing, forks=True, **facts)
    os.close(writing)
    with os.fdopen(reading) as output:
        text = output.read()
    return child.wait(5), text


def script(directory: Path, code: str) -> list[str]:
    """A program that finds the modules beside it."""
    path = directory / "program.py"
    path.write_text(code)
    return [sys.executable, "-I", str(path), "--word", "a b"]


@pytest.mark.usefixtures("server")
def test_a_python_program_goes_on_where_its_modules_are_loaded_and_knows_none_before_it(tmp_path):
    code = (
        "import json, os, sys, wave\n"
        "print(json.dumps([sys.argv[1:], dict(os.environ), os.getcwd(), hasattr(wave, 'mark')]))\n"
        "wave.mark = 1\n"
        "print(open('/proc/self/cmdline').read().rstrip(chr(0)))\n"
        "sys.exit(3)"
    )
    argv = script(tmp_path, code)
    for _ in range(2):
        status, text = run(argv, preload=["wave"], cwd=tmp_path, env={"WORD": "ä"})
        facts, title = text.splitlines()
        assert status == 3
        assert facts == f'[["--word", "a b"], {{"WORD": "\\u00e4"}}, "{tmp_path}", false]'
        assert title == " ".join(argv)


@pytest.mark.usefixtures("server")
def test_a_preloaded_program_ends_as_python_ends(tmp_path):
    ends = {
        "pass": (0, ""),
        "raise SystemExit": (0, ""),
        "raise SystemExit('words')": (1, ""),
        "1 / 0": (1, "ZeroDivisionError"),
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)": (-signal.SIGTERM, ""),
        "import socket; a, b = socket.socketpair(); b.close(); a.send(b'x')": (1, "BrokenPipe"),
    }
    for code, (status, words) in ends.items():
        found = run(script(tmp_path, code), preload=["wave"])
        assert found[0] == status, code
        assert words in found[1]


@pytest.mark.usefixtures("server")
def test_a_fork_has_the_files_it_was_given_and_no_others(tmp_path):
    fd = os.memfd_create("x")
    os.write(fd, b"inside")
    code = f"import os; print(open('/dev/fd/{fd}').read(), *os.listdir('/proc/self/fd'))"
    status, text = run(script(tmp_path, code), preload=["wave"], pass_fds=[fd])
    os.close(fd)
    assert status == 0
    word, *files = text.split()
    assert word == "inside"
    assert set(files) <= {"0", "1", "2", "3", str(fd)}


def test_guards_are_children_of_who_asked(server):
    child = Child(["sleep", "9"], forks=True)
    parent = Path(f"/proc/{child.guard_pid}/stat").read_text().rpartition(")")[2].split()[1]
    child.kill()
    assert int(parent) == os.getpid() == server.owner


@pytest.mark.usefixtures("server")
def test_whatever_else_is_orphaned_below_us_stays_others():
    child = Child(["sh", "-c", "exec sleep 9"], forks=True)
    os.kill(child.guard_pid, signal.SIGKILL)
    assert child.wait(5) == -signal.SIGKILL
    assert settles(lambda: not Path(f"/proc/{child.pid}").exists())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_without_its_server_a_program_starts_the_long_way_and_the_next_has_a_new_one(
    server, number
):
    server._line.settimeout(0.3)
    os.kill(server._process.pid, number)
    time.sleep(0.1)
    assert run(["sh", "-c", "echo started; exit 4"]) == (4, "started\n")
    assert run(["sh", "-c", "echo started; exit 4"]) == (4, "started\n")
    assert forkserver.server() is not server


def test_a_module_that_cannot_be_loaded_is_left_to_the_program(server, tmp_path):
    assert run(script(tmp_path, "print('ran')"), preload=["no_such_module"]) == (0, "ran\n")
    assert server.is_ours


def test_the_server_goes_with_its_owner():
    code = (
        "import os, time\n"
        "from purelymanage.jobs import forkserver\n"
        "print(forkserver.server()._process.pid, flush=True)\n"
        "time.sleep(300)"
    )
    reading, writing = os.pipe()
    owner = Child([sys.executable, "-c", code], stdout=writing)
    os.close(writing)
    with os.fdopen(reading) as output:
        pid = int(output.readline())
        os.kill(owner.pid or 0, signal.SIGKILL)
        assert settles(lambda: not Path(f"/proc/{pid}").exists())
    owner.kill()
