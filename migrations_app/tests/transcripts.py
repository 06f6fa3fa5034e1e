"""What imapsync prints, line by line: prepared runs for its reader."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_CUT = re.compile(r"^\[\.\.\. (\d+) similar lines cut \.\.\.\]$")
_LEFT = re.compile(r"(\d+)/(\d+) msgs left")


def transcript(text: str) -> tuple[list[str], int]:
    """The stdout lines and the status of a captured run, as in shared/imapsync/transcripts."""
    head, _, rest = text.partition("# ---- stdout\n")
    output = rest.partition("# ---- stderr\n")[0]
    status = next(
        int(line.split("exit status:")[1].split()[0])
        for line in head.splitlines()
        if "exit status:" in line
    )
    return list(_whole(output.split("\n"))), status


def _whole(lines: list[str]) -> Iterator[str]:
    """With the lines that were cut out of a run of similar ones: each counts one further."""
    before = ""
    for line in lines:
        cut = _CUT.match(line)
        if cut:
            yield from (_further(before, number) for number in range(1, int(cut[1]) + 1))
        else:
            yield line
        before = line


def _further(line: str, number: int) -> str:
    line = re.sub(r"/(\d+) ", lambda uid: f"/{int(uid[1]) + number} ", line, count=1)
    return _LEFT.sub(lambda left: f"{int(left[1]) - number}/{left[2]} msgs left", line)


def opening() -> list[str]:
    """Both sides connect and sign in."""
    return [
        "Here is imapsync 2.229 on host test, a linux system",
        "PID is 4711 my PPID is 4710",
        "Host1: success login on [old.example] with user [a] auth [LOGIN] or [LOGIN]",
        "Host2: success login on [new.example] with user [b] auth [LOGIN] or [LOGIN]",
        "++++ Listing folders",
    ]


def closing(status: int = 0, name: str = "EX_OK: successful termination", errors: int = 0) -> str:
    """The last line of every run that ends by itself."""
    return f"Exiting with return value {status} ({name}) {errors}/500 nb_errors/max_errors PID 4711"


def _left(left: int, total: int) -> str:
    return f"ETA: Friday 20 November 2026-11-20 14:05:14 +0000 UTC  0 s  {left}/{total} msgs left"


def success(
    folders: Mapping[str, int] | None = None, *, size: int = 1000, present: int = 0
) -> list[str]:
    """A run over some folders, the first `present` messages of each already there."""
    folders = folders or {"INBOX": 20, "INBOX.Entw&APw-rfe": 5}
    total = sum(folders.values())
    left = total
    lines = [
        *opening(),
        f"Host1 Nb messages: {total:>20} messages",
        f"Host1 Total size: {total * size:>20} bytes (1.000 MiB)",
        f"++++ Looping on each one of {len(folders)} folders to sync",
    ]
    for number, (name, count) in enumerate(folders.items(), start=1):
        target = name.removeprefix("INBOX.")
        lines += [
            _left(left, total),
            f"Folder {number:>4}/{len(folders)} [{name}]    -> [{target}]    ",
            f"Host1: folder [{name}] has {count} messages in total (mentioned by SELECT)",
            f"Host1: folder [{name}] considering {count} messages",
            f"Host1: folder [{name}] selected {count} messages, duplicates 0",
        ]
        left -= min(present, count)
        for uid in range(present + 1, count + 1):
            left -= 1
            lines.append(
                f"msg {name}/{uid} {{{size}}}            copied to {target}/{uid}"
                f"          67.25 msgs/s  262.252 KiB/s 7.799 KiB copied {_left(left, total)}"
            )
    return [
        *lines,
        _left(left, total),
        "++++ End looping on each folder",
        f"The sync looks good, all {total} identified messages in host1 are on host2.",
        "Detected 0 errors",
        closing(),
    ]


def refused_sign_in(side: int = 1) -> list[str]:
    """A wrong password on one side; ends with 161 or 162."""
    said = (
        f"Host{side} failure: Error login on [old.example] with user [a] auth [LOGIN]: "
        "4 NO [AUTHENTICATIONFAILED] Authentication failed."
    )
    name = f"EXIT_AUTHENTICATION_FAILURE_USER{side}"
    return [*opening()[:2], said, f"Err 1/1: {said}", closing(160 + side, name, 1)]
