"""Sessions in our own table: findable by person, useless to whoever only reads the database.

The cookie holds the key, the row its SHA-256; what a session remembers is sealed and bound to its
row. A session ends when it was not used for SESSION_IDLE_MINUTES, and in any case after
SESSION_MAX_HOURS. Whatever is still under way when it ends cannot bring it back: once its row is
there, it is only ever updated (docs/adr/0007-sessions.md).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Session, SessionQuerySet
from purelymanage import crypto
from purelymanage.core.addresses import CONTROL
from purelymanage.core.middleware import client_address

logger = logging.getLogger(__name__)

MAX_USER_AGENT = 400

SEEN_EVERY = timedelta(minutes=1)
"""How exact the table is: a write on every request is more than SQLite can afford."""


@dataclass(frozen=True)
class Browser:
    """Where a request comes from."""

    address: str | None = None
    user_agent: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> Browser:
        user_agent = CONTROL.sub("", request.headers.get("User-Agent", ""))
        return cls(client_address(request) or None, user_agent[:MAX_USER_AGENT])


class SessionStore(SessionBase):
    """What `request.session` is."""

    # Django's own, which its stubs leave out
    _session: dict[str, Any]
    _get_session: Callable[..., dict[str, Any]]
    _get_new_session_key: Callable[[], str]

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self.browser = Browser()
        self.row: Session | None = None
        """The row as this request found or made it."""

    def load(self) -> dict[str, Any]:
        self.row = _alive(self.session_key).first()
        data = remembered(self.row) if self.row else None
        if data is None:
            self.row = self._session_key = None
            return {}
        return data

    def exists(self, session_key: str | None) -> bool:
        return _alive(session_key).exists()

    def create(self) -> None:
        self._session_key = self._get_new_session_key()
        self.save(must_create=True)
        self.modified = True

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002  Django's
        if self.session_key is None:
            self.create()
        elif must_create:
            self._insert(self._get_session(no_load=True))
        else:
            self._update(self.session_key)

    def _insert(self, data: dict[str, Any]) -> None:
        self.row = Session.objects.create(**self._facts(data))

    def _update(self, key: str) -> None:
        """Write to the row that has been found by `key`; UpdateError if the session was ended."""
        data = self._session
        if self.row is None:  # `clear` empties a session without looking at it
            self.row = _alive(key).first()
        facts = self._facts(data)
        if self.row is None or not _alive(key).update(**facts):
            raise UpdateError
        for name, value in facts.items():
            setattr(self.row, name, value)

    def _facts(self, data: dict[str, Any]) -> dict[str, Any]:
        """What is to stand in the row."""
        stored = Session.stored_key(self.session_key)
        facts = {"session_key": stored, "session_data": seal(data, stored)}
        if (row := self._continued(data)) is not None:
            return facts | {"expire_date": expiry(row.begun_at)}
        return facts | self._beginning(data)

    def _continued(self, data: dict[str, Any]) -> Session | None:
        """The row whose life goes on: nobody signed in since it was read."""
        row = self.row
        return row if row is not None and row.user_id == _person_in(data) else None

    def _beginning(self, data: dict[str, Any]) -> dict[str, Any]:
        """Signing in begins a session, whatever it was before."""
        now = timezone.now()
        return {
            "user_id": _person_in(data),
            "begun_at": now,
            "last_seen_at": now,
            "expire_date": expiry(now),
            **asdict(self.browser),
        }

    def note_use(self) -> None:
        """Keep the session alive, and what is noted about its browser true to the minute."""
        now = timezone.now()
        if self.row is None or self.row.last_seen_at > now - SEEN_EVERY:
            return
        unnoted = _alive(self.session_key).filter(last_seen_at=self.row.last_seen_at)
        unnoted.update(
            last_seen_at=now, expire_date=expiry(self.row.begun_at), **asdict(self.browser)
        )

    def cycle_key(self) -> None:
        """Go on under a new key. In one statement, so that an ended session does not go on."""
        self._session  # noqa: B018  reads the row, and forgets the key of one that is not there
        if self.session_key is None:
            self.create()
            return
        old, self._session_key = self.session_key, self._get_new_session_key()
        try:
            self._update(old)
        except UpdateError:
            raise SessionInterrupted("The session was ended while it was to go on.") from None
        self.modified = True

    def delete(self, session_key: str | None = None) -> None:
        if key := session_key or self.session_key:
            Session.objects.filter(session_key=Session.stored_key(key)).delete()

    def flush(self) -> None:
        super().flush()
        self.row = None

    def get_expiry_age(self, **_: Any) -> int:
        """Seconds the browser keeps the cookie: as long as the session can live."""
        now = timezone.now()
        row = self._continued(self._session)
        end = _last_moment(row.begun_at if row else now)
        return max(0, int((end - now).total_seconds()))

    # What Django would otherwise build from smaller steps, which are not ours
    async def aflush(self) -> None:
        await sync_to_async(self.flush)()

    async def acycle_key(self) -> None:
        await sync_to_async(self.cycle_key)()

    @classmethod
    def clear_expired(cls) -> None:
        Session.objects.filter(expire_date__lte=timezone.now()).delete()


def _alive(key: str | None) -> SessionQuerySet:
    return Session.objects.alive().filter(session_key=Session.stored_key(key))


def _person_in(data: dict[str, Any]) -> int | None:
    return int(data[SESSION_KEY]) if SESSION_KEY in data else None


def expiry(begun_at: datetime) -> datetime:
    """When a session that is in use now ends, unless it is used again."""
    idle = timezone.now() + timedelta(minutes=settings.SESSION_IDLE_MINUTES) + SEEN_EVERY
    return min(idle, _last_moment(begun_at))


def _last_moment(begun_at: datetime) -> datetime:
    return begun_at + timedelta(hours=settings.SESSION_MAX_HOURS)


def seal(data: dict[str, Any], stored_key: str) -> str:
    """What a session remembers, as its row keeps it."""
    return crypto.encrypt(
        json.dumps(data), bound_to=place_of(stored_key), purpose=crypto.Purpose.SESSIONS
    )


def remembered(row: Session) -> dict[str, Any] | None:
    """What `seal` was given; None if its key is gone or it was moved here from another row."""
    try:
        place = place_of(row.session_key)
        opened = crypto.decrypt(row.session_data, bound_to=place, purpose=crypto.Purpose.SESSIONS)
    except crypto.DecryptionError:
        logger.warning("What session %s remembers does not open; it counts as ended.", row.pk)
        return None
    data: dict[str, Any] = json.loads(opened)
    return data


def place_of(stored_key: str) -> str:
    return f"accounts_session:{stored_key}:session_data"
