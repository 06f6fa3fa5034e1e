"""How imapsync is started: an allow-list of options, every value after `=`."""

from __future__ import annotations

import os
import ssl
import subprocess
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from migrations_app.engines.base import Reader
from migrations_app.engines.imapsync.parser import ImapsyncReader
from migrations_app.engines.plan import Endpoint, Plan
from migrations_app.engines.selection import folder_pattern
from purelymanage.core.errors import UnavailableError

VERSION_SECONDS = 10
ERRORS_MAX = 500
"""imapsync stops at so many errors. Its default of 50 would never get past 50 refused mails."""
MEMORY = ":".join(
    (
        "glibc.malloc.hugetlb=1",
        "glibc.malloc.top_pad=16777216",
        "glibc.malloc.mmap_threshold=33554432",
        "glibc.malloc.trim_threshold=67108864",
    )
)
"""Before it does anything, imapsync takes 160 MB in 60,000 small pages. In huge ones, asked for by
and by and kept, a mailbox of fifty mails costs a fifth less; see docs/performance.md."""
_SYSTEM_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


class ImapsyncEngine:
    """The real imapsync, found through `IMAPSYNC_PATH`."""

    name = "imapsync"
    preload: tuple[str, ...] = ()
    environment: Mapping[str, str] = {"GLIBC_TUNABLES": MEMORY}

    def __init__(self, known_version: str = "") -> None:
        self.label = f"imapsync {known_version}".rstrip()

    def version(self) -> str:
        """Ask it. Raises UnavailableError with the cure when it cannot run here.

        Empty where it did not answer in time: the machine is busy, and it starts all the same.
        """
        path = settings.IMAPSYNC_PATH
        cure = "Install imapsync, set IMAPSYNC_PATH to it, or set MIGRATION_ENGINE=builtin."
        try:
            answer = subprocess.run(
                [path, "--version"],
                capture_output=True,
                stdin=subprocess.DEVNULL,
                text=True,
                errors="replace",
                timeout=VERSION_SECONDS,
                check=False,
            )
        except FileNotFoundError as error:
            raise UnavailableError(f"imapsync was not found at “{path}”. {cure}") from error
        except OSError as error:
            raise UnavailableError(
                f"imapsync at “{path}” cannot be started: {error.strerror}. {cure}"
            ) from error
        except subprocess.TimeoutExpired:
            return ""
        version = answer.stdout.strip()
        if answer.returncode or not version:
            complaint = (answer.stderr.strip().splitlines() or ["no message"])[0][:200]
            raise UnavailableError(f"imapsync at “{path}” does not run: {complaint}. {cure}")
        return version.splitlines()[0][:40]

    def argv(self, plan: Plan, *, passfile1: str, passfile2: str, workdir: Path) -> list[str]:
        """The command line. `workdir` is private to the run; imapsync writes nowhere else."""
        authorities = _authorities(workdir)
        arguments = [
            settings.IMAPSYNC_PATH,
            *_side(1, plan.source, passfile1, authorities),
            *_side(2, plan.destination, passfile2, authorities),
            *_choices(plan),
            "--addheader",
            "--noreleasecheck",
            "--no-modulesversion",
            "--nolog",
            "--nodockercontext",
            f"--errorsmax={ERRORS_MAX}",
            f"--timeout1={plan.options.timeout_seconds}",
            f"--timeout2={plan.options.timeout_seconds}",
            f"--tmpdir={workdir}",
            f"--pidfile={workdir / 'imapsync.pid'}",
            "--pidfilelocking",
        ]
        if plan.dry_run:
            arguments += ["--dry", "--nofoldersizesatend"]
        return arguments

    def reader(self, plan: Plan) -> Reader:
        """A fresh reader for one run."""
        return ImapsyncReader(plan)


def _side(number: int, end: Endpoint, passfile: str, authorities: Path | None) -> list[str]:
    security = {
        "tls": [f"--ssl{number}", f"--notls{number}"],
        "starttls": [f"--nossl{number}", f"--tls{number}"],
        "none": [f"--nossl{number}", f"--notls{number}"],
    }[end.security]
    arguments = [
        f"--host{number}={end.host}",
        f"--port{number}={end.port}",
        *security,
        f"--user{number}={end.user}",
        f"--passfile{number}={passfile}",
    ]
    if end.security == "none":
        return arguments
    trust = {
        "SSL_verify_mode": "1",
        "SSL_verifycn_scheme": "imap",
        "SSL_verifycn_name": end.host,
        "SSL_hostname": end.host,
    }
    if authorities is not None:
        trust["SSL_ca_file"] = str(authorities)
    return [*arguments, *(f"--sslargs{number}={key}={value}" for key, value in trust.items())]


def _choices(plan: Plan) -> list[str]:
    options = plan.options
    arguments = [
        "--automap" if options.map_special_folders else "--noautomap",
        "--subscribeall" if options.subscribe else "--nosubscribe",
        *(f"--include={folder_pattern(name)}" for name in options.include),
        *(f"--exclude={folder_pattern(name)}" for name in options.exclude),
    ]
    if options.max_age_days is not None:
        arguments.append(f"--maxage={options.max_age_days}")
    if options.max_message_bytes is not None:
        arguments.append(f"--maxsize={options.max_message_bytes}")
    if options.bytes_per_second is not None:
        arguments.append(f"--maxbytespersecond={options.bytes_per_second}")
    if plan.most_bytes is not None:
        arguments.append(f"--exitwhenover={plan.most_bytes}")
    return arguments


def _authorities(workdir: Path) -> Path | None:
    """The system's authorities and our own in one file; None where the system's are enough.

    Perl's TLS trusts one file alone, so naming only ours would distrust every public server.
    """
    if not settings.IMAP_CA_FILE:
        return None
    try:
        own = Path(settings.IMAP_CA_FILE).read_bytes()
    except OSError as error:
        raise UnavailableError(
            f"IMAP_CA_FILE “{settings.IMAP_CA_FILE}” cannot be read: {error.strerror}. "
            "Correct the setting or remove it."
        ) from error
    known = ssl.get_default_verify_paths().cafile
    bundle = workdir / "authorities.pem"
    system = next(
        (path for path in (known, _SYSTEM_AUTHORITIES) if path and Path(path).is_file()), None
    )
    descriptor = os.open(bundle, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(own + b"\n" + (Path(system).read_bytes() if system else b""))
    return bundle
