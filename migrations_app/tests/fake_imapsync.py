#!/usr/bin/env python3
"""Prints what imapsync prints and copies nothing. How it behaves stands in --user1, as in a URL:
`mails=5&pause=0.1&stamps=/tmp/x`. It writes a line at start and end of each run into `stamps`, and
pauses only in the first one for a mailbox: what follows an interruption need not take long.
"""

import base64
import os
import quopri
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, quote


def say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def option(name):
    return next((word.partition("=")[2] for word in sys.argv if word.startswith(f"--{name}=")), "")


def stamp(behaviour, word):
    if "stamps" in behaviour:
        line = f"{word} {time.time():.3f} {os.getpid()} {option('user2')}\n"
        fd = os.open(behaviour["stamps"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(fd, line.encode())
        os.close(fd)


def pause_of(behaviour):
    if "stamps" in behaviour:
        lines = Path(behaviour["stamps"]).read_text().splitlines()
        starts = [line for line in lines if line.startswith("start") and option("user2") in line]
        if len(starts) > 1:
            return 0.0
    return float(behaviour.get("pause", 0))


def introduce(mails):
    say("Host1: success login on [a] with user [b] auth [LOGIN] or [LOGIN]")
    say("Host2: success login on [a] with user [b] auth [LOGIN] or [LOGIN]")
    say(f"Host1 Nb messages: {mails} messages")
    say(f"Host1 Total size: {mails * 100} bytes (0.1 KiB)")
    say("++++ Looping on each one of 1 folders to sync")
    say("Folder    1/1 [INBOX]                     -> [INBOX]")
    say(f"Host1: folder [INBOX] has {mails} messages in total (mentioned by SELECT)")
    say(f"Host1: folder [INBOX] considering {mails} messages")


def echo(passwords):
    for word in passwords:
        plain = base64.b64encode(f"\0someone\0{word}".encode()).decode()
        quoted = quopri.encodestring(word.encode()).decode().strip()
        say(f"Err 1/1: server says NO {word} is wrong, {quote(word)} {plain} {quoted}")
        say("x" * 3995 + word)


def misbehave(behaviour, passwords):
    if "env" in behaviour:
        Path(behaviour["env"]).write_text(repr(dict(os.environ)))
    if "echo" in behaviour:
        echo(passwords)
    for number in range(1, int(behaviour.get("lines", 0)) + 1):
        say(f"useless line {number} of an engine that does not stop")
    if "prints" in behaviour:
        sys.stdout.buffer.write(Path(behaviour["prints"]).read_bytes())
    if "flood" in behaviour:
        sys.stdout.write("y" * int(behaviour["flood"]))
    if "crash" in behaviour:
        os.kill(os.getpid(), int(behaviour["crash"]))


def main():
    if "--version" in sys.argv:
        say("2.229")
        return 0
    behaviour = {key: values[-1] for key, values in parse_qs(option("user1")).items()}
    passwords = []
    for number in "12":
        passwords.append(Path(option(f"passfile{number}")).read_text().rstrip("\n"))
    stamp(behaviour, "start")
    if "deaf" in behaviour:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "child" in behaviour:
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", behaviour["child"]])
    mails = int(behaviour.get("mails", 3))
    pause = pause_of(behaviour)
    introduce(mails)
    misbehave(behaviour, passwords)
    for number in range(1, mails + 1):
        time.sleep(pause)
        left = f"ETA: now 1 s  {mails - number}/{mails} msgs left"
        rates = "67.25 msgs/s  262.252 KiB/s 7.799 KiB copied"
        say(f"msg INBOX/{number} {{100}}            copied to INBOX/{number}  {rates} {left}")
    status = int(behaviour.get("status", 0))
    stamp(behaviour, "end")
    say(f"Exiting with return value {status} (EX_OK: all good) 0/50 nb_errors/max_errors PID 1")
    return status


if __name__ == "__main__":
    sys.exit(main())
