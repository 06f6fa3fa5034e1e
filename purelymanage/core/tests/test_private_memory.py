"""Nobody but root reads the memory or the environment of our processes, and none dumps core."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from migrations_app.running.passfiles import Passfile
from purelymanage.jobs.process import Child

ROOT = Path(__file__).resolve().parents[3]
KEEP = "from purelymanage.core import private_memory; private_memory.keep();"
SETUP = (
    "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'purelymanage.settings_test';"
    "import django; django.setup();"
)
DUMPABLE = "import ctypes; print(ctypes.CDLL(None).prctl(3));"
LIMIT = "import resource; print(*resource.getrlimit(resource.RLIMIT_CORE));"
pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform != "linux", reason="what is asked of /proc is Linux"),
]


def said(*argv: str, **options: object) -> str:
    ended = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True, **options)
    return ended.stdout


def python(code: str) -> str:
    return said(sys.executable, "-c", code)


def test_every_process_of_the_panel_keeps_its_memory_to_itself():
    assert python(SETUP + DUMPABLE).split() == ["0"]
    assert set(python(SETUP + LIMIT).split()) <= {"0", "1"}


def test_children_by_fork_and_engines_of_others_are_held_to_it():
    """A worker is forked; imapsync is another program, for which the limit alone can speak."""
    fork = "os.fork() and (os.wait(), os._exit(0));"
    assert python(SETUP + fork + DUMPABLE).split() == ["0"]
    other = (
        "print(subprocess.run(['sh', '-c', 'ulimit -c; ulimit -Hc'], capture_output=True).stdout)"
    )
    assert python(f"import subprocess; {KEEP} {other}") == "b'0\\n0\\n'\n"


def test_the_built_in_engine_keeps_its_memory_to_itself():
    code = (
        "import runpy, sys; sys.argv = ['engine', '--nonsense'];\n"
        "try: runpy.run_module('migrations_app.engines.builtin', run_name='__main__')\n"
        "except SystemExit: pass\n"
    )
    assert python(code + DUMPABLE).split()[-1] == "0"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees what others may not")
def test_other_processes_of_the_same_user_cannot_read_a_guard_or_a_worker():
    """Root looks at the owner that the kernel gives the files."""
    program = [sys.executable, "-c", f"{KEEP} import time; time.sleep(30)"]
    child = Child(program, env={"SECRET_KEY": "canary", "PYTHONPATH": str(ROOT)}, cwd=ROOT)
    try:
        child.wait_for_start()
        for pid in (child.guard_pid, child.pid):
            assert settles(lambda pid=pid: not is_readable_by_nobody(pid))
    finally:
        child.kill()


def settles(question, seconds: float = 10) -> bool:
    give_up = time.monotonic() + seconds
    while not question():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.02)
    return True


def is_readable_by_nobody(pid: int) -> bool:
    """Whether somebody without privileges reads the environment of a process of their own."""
    owner = "import os, sys; sys.exit(os.stat(sys.argv[1]).st_uid != 0)"
    path = f"/proc/{pid}/environ"
    subprocess.run([sys.executable, "-c", owner, path], check=True)
    drop = "os.setgroups([]); os.setgid(65534); os.setuid(65534);"
    read = f"import os, sys; {drop} open(sys.argv[1], 'rb').read()"
    return (
        subprocess.run(
            [sys.executable, "-c", read, path], capture_output=True, check=False
        ).returncode
        == 0
    )


def test_a_password_is_still_handed_over_in_memory(tmp_path: Path):
    """A process whose /proc is root's opens its own descriptors none the less."""
    passfile = Passfile("hunter2", directory=tmp_path, name="x")
    drop = "import os; os.getuid() or (os.setgroups([]), os.setgid(65534), os.setuid(65534));"
    os.fchmod(passfile.fd, 0o644)
    code = f"{KEEP} {drop} {KEEP} print(open({passfile.path!r}).read())"
    assert said(sys.executable, "-c", code, pass_fds=[passfile.fd]).strip() == "hunter2"
    passfile.erase()
