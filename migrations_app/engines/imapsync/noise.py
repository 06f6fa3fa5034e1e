"""Which of imapsync's lines an admin does not need."""

from __future__ import annotations

import re

from migrations_app.engines.wording import readable_folder

_STARTS = (
    "kill -",
    "with Perl",
    "$RCSfile",
    "Command line used",
    "Temp directory",
    "Load ",
    "Real user",
    "Effective user",
    "Current directory",
    "No log file",
    "File /",
    "PID ",
    "Writing my PID",
    "Removing pidfile",
    "Removing old",
    "Sending: ",
    "Sent ",
    "Read: ",
    "In order to avoid",
    "Trying command when NOT connected",
    "Homepage",
    "Check if a new",
    "Memory",
    "CPU time",
    "Strange: cpu_time",
    "You can remove",
    "but then you will",
    "All foldernames are presented",
    "When a foldername contains",
    "X is the imap foldername",
    "Y is the utf8 output",
    "[X] = [Y]",
    "* LIST",
    "Err ",
    "++++ Listing",
    "ETA",
    "Host1 folder ",
    "Host2 folder ",
    "Host2-Host1",
    "Host1 capability",
    "Host2 capability",
    "Checking SEARCH",
    "Good! SEARCH",
    "The most frequent error",
    "Modules version",
)
_PARTS = re.compile(
    r"guessing|checking if SEARCH|mentioned by SELECT|found by SEARCH|by SELECT and SEARCH"
    r"|permanentflags|imap connection keepalive|Use --|To avoid|Socket successfully"
    r"|connecting and login|IMAP server \[|SSL default mode|says it has|\bPerl\b"
    r"|will try to use|imap connection timeout|IP address|banner: |state Authenticated"
    r"|found ID capability|QUOTA capability|folders list \(first|Folders in host2 not"
    r"|Maximum number of errors|^Disconnecting"
    r"|considering \d+ messages|selected \d+ messages|skip(?:ped)? in SEARCH"
)
_ODD = re.compile(r"^\s*$|^\s|^\d+ (?:OK|NO|BAD) |^\S*/imapsync |^\[.*\]$|^-{3,}$")
_BRACKETED = re.compile(r"\[([^\]\[]*&[A-Za-z0-9+,]*-[^\]\[]*)\](?: = \[[^\]]*\])?")


def is_noise(line: str) -> bool:
    """Machine talk, repeated hints, and what our own counting says better."""
    return bool(line.startswith(_STARTS) or _ODD.search(line) or _PARTS.search(line))


def readable(line: str) -> str:
    """The line with its folder names as people read them."""
    return _BRACKETED.sub(lambda match: f"[{readable_folder(match[1])}]", line)
