"""The demo's two IMAP servers on loopback: "Old provider" full of mail, and "PurelyMail".

Both are pymap with maildirs below DATA_DIR, so that what was moved is still there after a restart.
The old one knows five people and one password; the new one asks the PurelyMail simulator, so that
a mailbox made in the panel, with the password it was given, can be moved into at once.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from argparse import Namespace
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import requests
from pymap.backend.maildir import Config, Identity, Login, MaildirBackend
from pymap.backend.maildir.users import UsersFile
from pymap.exceptions import InvalidAuth
from pymap.imap import IMAPService
from pymap.interfaces.login import IdentityInterface
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials.flag import Flag
from pymap.user import UserMetadata
from pysasl.creds.server import ServerCredentials

from purelymanage.demo import mail
from purelymanage.demo.places import HOST
from purelymanage.purelymail.simulator.demo import DEMO_PASSWORD

logger = logging.getLogger(__name__)

SEEDED = "seeded"

CheckPassword = Callable[[str, str], bool]


@dataclass(frozen=True)
class Box:
    """One demo server: its port, its maildirs, and who may sign in."""

    port: int
    directory: Path
    check: CheckPassword


@dataclass(frozen=True)
class Claim(UserMetadata):
    """Who somebody says they are, for pysasl to compare their password with ours."""

    check: CheckPassword = lambda _address, _password: False

    def compare_secret(self, value: str) -> bool:
        return self.check(self.name.lower(), value)


class DemoLogin(Login):
    """Signs in whoever the box's check lets in, and makes their maildir on the way."""

    def __init__(self, config: Config, check: CheckPassword, is_filled: asyncio.Event) -> None:
        super().__init__(config)
        self.check = check
        self.is_filled = is_filled

    async def authenticate(self, credentials: ServerCredentials) -> Identity:
        await self.is_filled.wait()
        address = credentials.authcid.lower()
        claim = Claim(self.config, credentials.authcid, check=self.check)
        if not await asyncio.to_thread(credentials.verify, claim):
            raise InvalidAuth
        await _add_user(self.config, address)
        return Identity(self.config, self.tokens, address, None, frozenset())

    async def authorize(self, authenticated: IdentityInterface, authzid: str) -> Identity:
        return await super().authorize(authenticated, authzid.lower())


async def serve(boxes: list[Box]) -> None:
    """Serve until cancelled. The first box holds the old mail.

    Both listen at once; whoever signs in while the mail is still being written waits for it.
    """
    is_filled = asyncio.Event()
    configs = [_config(box) for box in boxes]
    async with AsyncExitStack() as stack:
        for box, config in zip(boxes, configs, strict=True):
            backend = MaildirBackend(DemoLogin(config, box.check, is_filled), config)
            await IMAPService(backend, config).start(stack)
            logger.info("Demo IMAP server on %s:%s", HOST, box.port)
        await _fill(configs[0], boxes[0].directory)
        is_filled.set()
        await asyncio.Event().wait()


def old_password(address: str, password: str) -> bool:
    """Whether `address` is one of the five at the old provider, with the demo's password."""
    return address in mail.addresses() and password == DEMO_PASSWORD


def simulator_password(simulator_url: str) -> CheckPassword:
    """A check that asks the PurelyMail simulator."""

    def check(address: str, password: str) -> bool:
        claim = {"address": address, "password": password}
        try:
            answer = requests.post(f"{simulator_url}/_simulator/verify", json=claim, timeout=5)
            return bool(answer.json()["valid"])
        except (requests.RequestException, ValueError, KeyError):
            return False

    return check


def _config(box: Box) -> Config:
    box.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    arguments = Namespace(
        host=HOST,
        port=box.port,
        debug=False,
        cert=None,
        key=None,
        tls=False,
        proxy_protocol=None,
        passlib_cfg=None,
        inherited_sockets=None,
        base_dir=str(box.directory),
        layout="++",
        colon=None,
        concurrency=4,
    )
    config = Config.from_args(arguments, secure_auth=False)
    config.apply_context()
    return config


async def _add_user(config: Config, address: str) -> None:
    async with UsersFile.with_read(config.base_dir) as users:
        known = users.has(address)
    if not known:
        async with UsersFile.with_write(config.base_dir) as users:
            users.set(users.build_record(address, address))


async def _fill(config: Config, directory: Path) -> None:
    """Write the old provider's mail once; a fill that was cut off starts anew."""
    done = directory / SEEDED
    if done.exists():
        return
    for leftover in directory.iterdir():
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    for address in mail.addresses():
        await _add_user(config, address)
        identity = Identity(config, Login(config).tokens, address, None, frozenset())
        async with identity.new_session() as session:
            for path in _with_parents(mail.FOLDERS):
                await session.mailbox_set.add_mailbox(path)
            for message in mail.mailbox(address):
                box = await session.mailbox_set.get_mailbox(message.folder)
                flags = frozenset(Flag(flag.encode()) for flag in message.flags)
                await box.append(AppendMessage(message.content, message.at, flags))
    done.touch()


def _with_parents(folders: Iterable[str]) -> list[str]:
    """Every folder but INBOX, parents first."""
    paths: dict[str, None] = {}
    for folder in folders:
        parts = folder.split("/")
        paths.update(dict.fromkeys("/".join(parts[: n + 1]) for n in range(len(parts))))
    return [path for path in paths if path != "INBOX"]
