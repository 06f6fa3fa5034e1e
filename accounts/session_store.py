"""Sessions in our own table: findable by person, useless to whoever only reads the database.

The cookie holds the key, the row its SHA-256; what a session remembers is sealed and bound to its
row. A session ends when it was not used for SESSION_IDLE_MINUTES, and in any case after
SESSION_MAX_HOURS.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from purelymanage import crypto

if TYPE_CHECKING:
    from accounts.models import Session


class SessionStore(DatabaseStore):
    """What `request.session` is."""

    begun_at: datetime | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        from accounts.models import Session  # models are not there when the engine loads

        return Session

    def load(self) -> dict[str, Any]:
        row = self._row()
        if row is None:
            self._session_key = None
            return {}
        self.begun_at = row.begun_at
        return row.get_decoded()

    def _row(self) -> Session | None:
        sessions = self.get_model_class().objects.alive()
        return sessions.filter(session_key=self._stored(self.session_key)).first()

    def exists(self, session_key: str | None) -> bool:
        return (
            self.get_model_class()
            .objects.alive()
            .filter(session_key=self._stored(session_key))
            .exists()
        )

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        key = self._stored(self._get_or_create_session_key())
        begun_at = self.begun_at or timezone.now()
        return self.get_model_class()(
            session_key=key,
            session_data=seal(data, key),
            expire_date=expiry(begun_at),
            begun_at=begun_at,
            user_id=data.get(SESSION_KEY),
        )

    def delete(self, session_key: str | None = None) -> None:
        key = self._stored(session_key or self.session_key)
        self.get_model_class().objects.filter(session_key=key).delete()

    def _stored(self, key: str | None) -> str:
        return self.get_model_class().stored_key(key or "")


def expiry(begun_at: datetime) -> datetime:
    """When a session that is in use now ends, unless it is used again."""
    idle = timezone.now() + timedelta(minutes=settings.SESSION_IDLE_MINUTES)
    return min(idle, begun_at + timedelta(hours=settings.SESSION_MAX_HOURS))


def seal(data: dict[str, Any], stored_key: str) -> str:
    """What a session remembers, as its row keeps it."""
    return crypto.encrypt(json.dumps(data), bound_to=_place(stored_key))


def unseal(envelope: str, stored_key: str) -> dict[str, Any]:
    """What `seal` was given; nothing if its key is gone or it was moved here from another row."""
    try:
        data: dict[str, Any] = json.loads(crypto.decrypt(envelope, bound_to=_place(stored_key)))
    except crypto.DecryptionError:
        return {}
    return data


def _place(stored_key: str) -> str:
    return f"accounts_session:{stored_key}:session_data"
