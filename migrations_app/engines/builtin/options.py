"""The command line: an allow-list, every value after `=`, passwords only from files."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from migrations_app.engines.plan import Endpoint, Options, Plan


@dataclass(frozen=True)
class Settings:
    """One run."""

    plan: Plan
    passwords: tuple[str, str]
    ca_file: str
    allows_local: bool


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise argparse.ArgumentError(None, message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m migrations_app.engines.builtin",
        description="Copies one IMAP mailbox into another: only what is missing, nothing deleted. "
        "Progress is written to stdout as JSON lines; the exit values are those of imapsync.",
        epilog="Write values after “=”, as in --user1=NAME, so that a value may begin with a dash.",
        allow_abbrev=False,
    )
    for number, name in ((1, "source"), (2, "destination")):
        group = parser.add_argument_group(name)
        group.add_argument(f"--host{number}", required=True, metavar="HOST")
        group.add_argument(f"--port{number}", type=int, default=993, metavar="PORT")
        group.add_argument(
            f"--security{number}", choices=["tls", "starttls", "none"], default="tls"
        )
        group.add_argument(f"--user{number}", required=True, metavar="NAME")
        group.add_argument(
            f"--passfile{number}", required=True, metavar="FILE", help="first line: the password"
        )
    parser.add_argument("--ca-file", default="", metavar="FILE", help="trust these as well")
    parser.add_argument("--allow-local", action="store_true", help="servers on this machine too")
    parser.add_argument("--dry", action="store_true", help="compare and count, change nothing")
    parser.add_argument("--include", action="append", default=[], metavar="FOLDER")
    parser.add_argument("--exclude", action="append", default=[], metavar="FOLDER")
    parser.add_argument("--max-age", type=int, metavar="DAYS")
    parser.add_argument("--max-size", type=int, metavar="BYTES", help="of one message")
    parser.add_argument("--max-bytes-per-second", type=int, metavar="BYTES")
    parser.add_argument("--exit-when-over", type=int, metavar="BYTES", help="then end with 118")
    parser.add_argument("--timeout", type=int, default=120, metavar="SECONDS")
    parser.add_argument("--no-special", action="store_true", help="do not map Sent Items and such")
    parser.add_argument("--no-subscribe", action="store_true")
    return parser


def read_settings(arguments: list[str]) -> Settings:
    """Raises argparse.ArgumentError, or OSError where a password file cannot be read."""
    given = _parser().parse_args(arguments)
    ends = [
        Endpoint(
            host=getattr(given, f"host{number}"),
            port=getattr(given, f"port{number}"),
            security=getattr(given, f"security{number}"),
            user=getattr(given, f"user{number}"),
        )
        for number in (1, 2)
    ]
    options = Options(
        map_special_folders=not given.no_special,
        include=tuple(given.include),
        exclude=tuple(given.exclude),
        max_age_days=given.max_age,
        max_message_bytes=given.max_size,
        bytes_per_second=given.max_bytes_per_second,
        subscribe=not given.no_subscribe,
        timeout_seconds=given.timeout,
    )
    plan = Plan(
        source=ends[0],
        destination=ends[1],
        dry_run=given.dry,
        options=options,
        most_bytes=given.exit_when_over,
    )
    passwords = (_first_line(given.passfile1), _first_line(given.passfile2))
    return Settings(plan, passwords, given.ca_file, given.allow_local)


def _first_line(path: str) -> str:
    return Path(path).read_bytes().partition(b"\n")[0].decode("utf-8", "surrogateescape")
