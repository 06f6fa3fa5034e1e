"""What goes wrong between form and mailbox, from the service that queues a job to its last word.

Nothing is replaced: real servers, the real runner, each engine. Every case ends in a state, with a
sentence that says what happened and what to do next, without a traceback and without a secret.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from django.utils import timezone

from audit.models import Entry
from migrations_app.engines import choice
from migrations_app.engines.base import Engine
from migrations_app.engines.causes import Cause
from migrations_app.engines.cures import RETRY_MINUTES
from migrations_app.engines.plan import Options
from migrations_app.models import MigrationJob, Server, State
from migrations_app.queueing import queue
from migrations_app.running import logs, runner
from migrations_app.services import jobs as services
from migrations_app.tests.dovecot import Dovecot, Mail, Pair, SilentServer
from purelymanage.jobs.tests.processes import free_port

pytestmark = [
    pytest.mark.imap,
    pytest.mark.once,
    pytest.mark.django_db(transaction=True),
]

RIGHT = ("from-sEcret-1", "to-sEcret-2")
WRONG = "wr0ng-sEcret-3"
_numbers = count()


@dataclass
class Scene:
    """Two mailboxes and how a job is to reach them; a case spoils something of it."""

    pair: Pair
    mails: list[Mail] = field(default_factory=lambda: mails_of([100, 100]))
    limits: dict[str, str] = field(default_factory=dict)
    source: tuple[str, int, str] = ("", 0, "")
    destination: tuple[str, int, str] = ("", 0, "")
    passwords: tuple[str, str] = RIGHT
    options: Options = field(default_factory=Options)

    def __post_init__(self) -> None:
        self.source = ("localhost", self.pair.source.port_tls, "tls")
        self.destination = ("localhost", self.pair.destination.port_tls, "tls")

    def play(self) -> MigrationJob:
        """Queue the job as the form does, claim it and run it as a worker does."""
        number = next(_numbers)
        source = self.pair.source.add_user(f"bad{number}@old.example", RIGHT[0])
        destination = self.pair.destination.add_user(
            f"bad{number}@new.example", RIGHT[1], **self.limits
        )
        self.pair.source.fill(source, self.mails)
        job = services.create_job(
            name="",
            source=services.End(server("Old", *self.source), source, self.passwords[0]),
            destination=services.End(
                server("New", *self.destination), destination, self.passwords[1]
            ),
            dry_run=False,
            options=self.options,
        )
        return run(job)


def run(job: MigrationJob) -> MigrationJob:
    """One run as a worker does it: claimed, run, and what the row says then."""
    claimed = queue.claim("here")
    assert claimed == job
    runner.run(claimed)
    return MigrationJob.objects.get(pk=job.pk)


def server(name: str, host: str, port: int, security: str) -> Server:
    return Server.objects.create(name=name, host=host, port=port, security=security)


def mails_of(sizes: list[int]) -> list[Mail]:
    line = b"x" * 70 + b"\r\n"
    return [
        Mail(("INBOX",), b"Message-ID: <%d@%d>\r\n\r\n" % (number, size) + line * (size // 72))
        for number, size in enumerate(sizes)
    ]


@pytest.fixture
def scene(imap_pair: Pair, engine: Engine, settings: object, tmp_path: Path) -> Scene:
    settings.MIGRATION_ENGINE = engine.name
    settings.DATA_DIR = tmp_path
    return Scene(imap_pair)


def check(job: MigrationJob, state: State, cause: Cause, *words: str) -> None:
    """The ending, the sentence with its next step, and nothing that must not be said anywhere."""
    assert (job.state, job.cause) == (state, cause), job.verdict
    log = "".join(logs.stream(job))
    for word in words:
        assert word in job.verdict
    assert job.verdict in " ".join(line.split(" ", 2)[2] for line in log.split("\n")[:-1])
    entries = " ".join(f"{entry.before} {entry.after}" for entry in Entry.objects.all())
    for said in (job.verdict, log, entries):
        assert "Traceback" not in said
        assert not any(secret in said for secret in (*RIGHT, WRONG))
    assert job.token is None


def check_waits_then_fails(job: MigrationJob, cause: Cause, *words: str) -> None:
    """Tried again by itself as often and as late as the policy says; then it has failed."""
    for retries, minutes in enumerate(RETRY_MINUTES, start=1):
        check(job, State.QUEUED, cause, *words)
        assert job.retries == retries
        assert job.try_after is not None
        assert job.ended_at is not None
        waits = job.try_after - job.ended_at
        assert abs(waits - timedelta(minutes=minutes)) < timedelta(seconds=5)
        assert queue.claim("here") is None
        job = run(due(job))
    check(job, State.FAILED, cause, *words, "It was tried again three times")
    assert (job.retries, job.try_after) == (len(RETRY_MINUTES), None)
    assert queue.claim("here") is None


def due(job: MigrationJob) -> MigrationJob:
    """The job, once the time of its next try has come."""
    past = timezone.now() - timedelta(seconds=1)
    MigrationJob.objects.filter(pk=job.pk).update(try_after=past)
    return job


@pytest.mark.parametrize(
    ("passwords", "cause", "words"),
    [
        ((WRONG, RIGHT[1]), Cause.SOURCE_PASSWORD, ["The source server"]),
        ((RIGHT[0], WRONG), Cause.DESTINATION_PASSWORD, ["The destination server"]),
        ((WRONG, WRONG), Cause.SOURCE_PASSWORD, ["The source server", "The destination server"]),
    ],
    ids=["source", "destination", "both"],
)
def test_a_wrong_password(
    scene: Scene, passwords: tuple[str, str], cause: Cause, words: list[str]
) -> None:
    scene.passwords = passwords
    check(scene.play(), State.FAILED, cause, *words, "refused the sign-in", "Check the address")


def test_an_unknown_host(scene: Scene) -> None:
    scene.source = ("no-such-host.invalid", 993, "tls")
    check(scene.play(), State.FAILED, Cause.SOURCE_HOST, "cannot be looked up", "Check how it is")


def test_a_closed_port(scene: Scene) -> None:
    port = free_port()
    scene.destination = ("localhost", port, "tls")
    words = (f"localhost:{port}", "Check host and port")
    check_waits_then_fails(scene.play(), Cause.DESTINATION_UNREACHABLE, *words)


def test_a_self_signed_certificate(scene: Scene, self_signed_server: Dovecot) -> None:
    scene.source = ("localhost", self_signed_server.port_tls, "tls")
    words = ("is not trusted", "IMAP_CA_FILE")
    check(scene.play(), State.FAILED, Cause.SOURCE_CERTIFICATE, *words)


def test_a_certificate_for_another_host(scene: Scene) -> None:
    server = scene.pair.destination
    scene.destination = (server.misnamed_host, server.port_tls, "tls")
    words = ("is not trusted", "Use the host name")
    check(scene.play(), State.FAILED, Cause.DESTINATION_CERTIFICATE, *words)


def test_a_plain_server_where_tls_is_asked(scene: Scene, plain_server: Dovecot) -> None:
    scene.source = ("localhost", plain_server.port, "tls")
    check(scene.play(), State.FAILED, Cause.SOURCE_TLS, "does not speak TLS", "Check port")


def test_a_plain_server_where_starttls_is_asked(scene: Scene, plain_server: Dovecot) -> None:
    scene.source = ("localhost", plain_server.port, "starttls")
    check(scene.play(), State.FAILED, Cause.SOURCE_TLS, "does not speak TLS", "Check port")


def test_a_full_destination(scene: Scene) -> None:
    scene.mails = mails_of([50_000] * 60)
    scene.limits = {"quota": "1M"}
    job = scene.play()
    check(job, State.FAILED, Cause.DESTINATION_FULL, "is full", "Make room")
    assert job.messages_copied > 0
    assert f"{job.messages_copied} messages are already copied" in job.verdict


def test_one_mail_too_large(scene: Scene) -> None:
    scene.mails = mails_of([100, 500_000, 100])
    scene.limits = {"largest_mail": "100k"}
    job = scene.play()
    words = ("2 messages copied, 1 not copied", "larger than the destination accepts")
    check(job, State.DONE_WITH_ERRORS, Cause.MESSAGES_TOO_LARGE, *words)


def test_a_server_that_says_nothing(scene: Scene, silent_server: SilentServer) -> None:
    scene.source = (silent_server.host, silent_server.port, "none")
    scene.options = replace(scene.options, timeout_seconds=2)
    words = ("No connection to the source", "wait until the server answers")
    check_waits_then_fails(scene.play(), Cause.SOURCE_UNREACHABLE, *words)


def program(folder: Path, text: str) -> str:
    """An executable in the place of imapsync."""
    path = folder / "engine"
    path.write_text(f"#!/bin/sh\n[ $1 = --version ] && echo 2.229 && exit\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def named(imap_pair: Pair, settings: object, tmp_path: Path) -> Scene:
    """A scene where IMAPSYNC_PATH decides what runs."""
    settings.MIGRATION_ENGINE = "imapsync"
    settings.DATA_DIR = tmp_path
    return Scene(imap_pair)


def test_an_engine_that_is_not_installed(named: Scene, settings: object) -> None:
    settings.IMAPSYNC_PATH = "/nowhere/imapsync"
    words = ("was not found", "/nowhere/imapsync", "set IMAPSYNC_PATH")
    check(named.play(), State.FAILED, Cause.ENGINE_MISSING, *words)


@pytest.mark.parametrize("status", [0, 70])
def test_an_engine_that_prints_garbage_and_ends(
    named: Scene, settings: object, tmp_path: Path, status: int
) -> None:
    settings.IMAPSYNC_PATH = program(tmp_path, f"head -c 9999 /dev/urandom; exit {status}")
    words = ("The engine", "Read the end of the log, then run it again")
    check_waits_then_fails(named.play(), Cause.ENGINE_CRASHED, *words)


def test_an_engine_that_prints_garbage_and_is_killed(
    named: Scene, settings: object, tmp_path: Path
) -> None:
    settings.IMAPSYNC_PATH = program(tmp_path, "head -c 9999 /dev/urandom; kill -SEGV $$")
    words = ("stopped by SIGSEGV", "Requeued, try 2 of 4")
    check(named.play(), State.INTERRUPTED, Cause.STOPPED, *words)


def test_an_engine_that_vanishes_after_it_was_asked(
    named: Scene, settings: object, tmp_path: Path
) -> None:
    settings.IMAPSYNC_PATH = program(tmp_path, "exit 0")
    choice.probe()
    Path(settings.IMAPSYNC_PATH).unlink()
    words = ("was not found", "IMAPSYNC_PATH")
    check(named.play(), State.FAILED, Cause.ENGINE_MISSING, *words)


def test_an_engine_that_cannot_start(named: Scene, settings: object, tmp_path: Path) -> None:
    path = program(tmp_path, "exit 0")
    settings.IMAPSYNC_PATH = path
    Path(path).write_text("#!/nowhere/interpreter\n")
    words = ("IMAPSYNC_PATH", "MIGRATION_ENGINE=builtin")
    check(named.play(), State.FAILED, Cause.ENGINE_MISSING, *words)
