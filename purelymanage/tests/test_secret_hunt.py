"""A whole migration by a whole panel, and then a search for the passwords in all that is left."""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import stat
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from migrations_app.tests.conftest import _session_pair, imap_pair  # noqa: F401  fixtures
from migrations_app.tests.dovecot import Mail, Pair
from purelymanage.tests.panel import Panel
from purelymanage.tests.visitor import Visitor

pytestmark = [pytest.mark.imap, pytest.mark.slow, pytest.mark.once]

SOURCE = f"s0urce-pässword-{uuid.uuid4().hex}"
DESTINATION = f"dest-p@ss word-{uuid.uuid4().hex}"
OWNER = f"owner passphrase {uuid.uuid4().hex}"
MAILBOX = f"mailbox-passw0rd-{uuid.uuid4().hex}"
SECRETS = (SOURCE, DESTINATION, OWNER, MAILBOX)
MAILS = [
    Mail(("INBOX",), b"Message-ID: <%d@hunt>\r\nSubject: s\r\n\r\n%s\r\n" % (n, b"x" * 2000))
    for n in range(1500)
]


def spellings(secret: str) -> set[bytes]:
    """A secret as it is, and as it may stand in a URL, a form, JSON or base64."""
    raw = secret.encode()
    return {
        raw,
        quote(secret).encode(),
        quote(secret, safe="").replace("%20", "+").encode(),
        secret.encode("unicode_escape"),
        base64.b64encode(raw).rstrip(b"="),
    }


NEEDLES = {needle for secret in SECRETS for needle in spellings(secret)}


def finds(content: bytes) -> list[bytes]:
    return [needle for needle in NEEDLES if needle in content]


class ProcessWatch(threading.Thread):
    """Looks at the command line and environment of every process until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: dict[str, list[bytes]] = {}
        self.engines: set[bytes] = set()
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.1):
            for process in Path("/proc").glob("[0-9]*"):
                self._look(process)

    def _look(self, process: Path) -> None:
        for name in ("cmdline", "environ"):
            try:
                content = (process / name).read_bytes()
            except OSError:
                continue
            if b"--passfile1" in content:
                self.engines.add(content)
            if found := finds(content):
                self.seen[f"{process.name}/{name}"] = found


@pytest.fixture(params=["builtin", pytest.param("imapsync", marks=pytest.mark.imapsync)])
def panel(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    _session_pair: Pair,  # noqa: F811
) -> Iterator[Panel]:
    imapsync = os.environ.get("IMAPSYNC_PATH", "imapsync")
    if request.param == "imapsync" and shutil.which(imapsync) is None:
        pytest.skip("imapsync is not installed: set IMAPSYNC_PATH")
    (tmp_path / "tmp").mkdir()
    panel = Panel(
        tmp_path,
        extra={
            "IMAP_CA_FILE": str(_session_pair.ca_file),
            "IMAPSYNC_PATH": imapsync,
            "MIGRATION_ENGINE": request.param,
            "LOG_LEVEL": "DEBUG",
            "TMPDIR": str(tmp_path / "tmp"),
        },
    )
    yield panel.start()
    panel.remove()


def journey(panel: Panel, pair: Pair) -> Visitor:
    """Set up, a mailbox, two servers, tested logins, a mistake, a dry run, a real run, an edit."""
    user = f"hunt.{uuid.uuid4().hex[:8]}@lindenhof.example"
    pair.source.add_user(user, SOURCE)
    pair.destination.add_user(user, DESTINATION)
    pair.source.fill(user, MAILS)
    visitor = Visitor(panel.url)
    visitor.set_up(password=OWNER)
    domain = visitor.option("/mailboxes/new/", "lindenhof.example")
    made = visitor.post("/mailboxes/new/", local_part="hunted", domain=domain, password=MAILBOX)
    assert MAILBOX in made.text  # shown once, in this answer
    visitor.answers = [answer for answer in visitor.answers if MAILBOX not in answer]
    job = visitor.job_between(pair, user)
    visitor.post("/migrations/new/", **job, dry_run="on", test="1")
    visitor.post("/migrations/new/", **{**job, "source_server": ""}, dry_run="on")
    visitor.post("/migrations/new/", **job, dry_run="on")
    visitor.wait_for_end(1)
    assert pair.destination.count(user) == 0
    visitor.post("/migrations/1/real/", form="/migrations/new/")
    visitor.wait_for_end(2)
    assert pair.destination.count(user) == len(MAILS)
    visitor.post("/migrations/2/edit/", **{**job, "source_address": f"{user}x"})
    for page in ("/", "/migrations/", "/migrations/2/log/", "/settings/audit/", "/mailboxes/"):
        visitor.get(page)
    for path in ("/admin/migrations_app/migrationjob/", "/admin/audit/entry/"):
        assert visitor.get(path).status_code == 200
    visitor.get("/admin/migrations_app/migrationjob/2/change/")
    return visitor


def database_content(panel: Panel) -> bytes:
    """All of the database: its files."""
    return b"".join(file.read_bytes() for file in panel.data_dir.glob("*.sqlite3*"))


def test_the_passwords_are_nowhere_but_encrypted(panel: Panel, imap_pair: Pair):  # noqa: F811
    began = time.time()
    watch = ProcessWatch()
    watch.start()
    try:
        visitor = journey(panel, imap_pair)
    finally:
        watch.done.set()
        watch.join()
    assert watch.engines, "no engine was seen at work"
    assert watch.seen == {}
    everything = {f"answer {n}": text.encode() for n, text in enumerate(visitor.answers)}
    stored = database_content(panel)
    assert b"pm1." in stored
    everything["database"] = stored
    panel.stop()
    everything["database after the end"] = database_content(panel)
    for directory in (panel.data_dir, Path("/tmp"), Path("/dev/shm")):
        everything.update(_files(directory, since=began))
    assert str(panel.log) in everything
    assert not _files(panel.data_dir / "runs", since=0)
    found = {place: finds(content) for place, content in everything.items()}
    assert {place: needles for place, needles in found.items() if needles} == {}


def _files(directory: Path, *, since: float) -> dict[str, bytes]:
    """What files hold that were written since; the mail servers keep their users in their own."""
    found = {}
    for root, folders, names in os.walk(directory):
        folders[:] = [name for name in folders if not name.startswith("dovecot-")]
        for path in (Path(root, name) for name in names):
            with contextlib.suppress(OSError):  # others' files come and go
                facts = path.lstat()
                if stat.S_ISREG(facts.st_mode) and facts.st_mtime >= since:
                    found[str(path)] = path.read_bytes()
    return found


def test_the_needle_is_found_where_it_lies(tmp_path: Path):
    assert finds(f"x {SOURCE} y".encode())
    assert finds(quote(DESTINATION).encode())
    assert finds(requests.Request("POST", "http://x", data={"p": SOURCE}).prepare().body.encode())
