"""Seals every stored secret anew with the first of ENCRYPTION_KEYS, while everybody works.

A row is written only where it still holds the envelope that was read, so that nothing typed
meanwhile is lost; each write stands alone, so that nobody waits for a lock. What bears the current
key already is left out by the query that reads, so that a run that was killed goes on where it was.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import models, transaction
from django.db.models.functions import Substr

from accounts.factors import sealing
from accounts.models import Session
from accounts.sessions import store
from audit.actions import Action
from audit.services import audited
from purelymanage import crypto
from purelymanage.crypto import DecryptionError, EncryptedField, Envelope, Purpose, current_prefix

HEAD = len(crypto.VERSION) + crypto.KEY_ID_DIGITS + 2
"""How many characters of an envelope tell its form and its key."""
HEAD_FORM = re.compile(rf"{crypto.VERSION}\.([0-9a-f]{{{crypto.KEY_ID_DIGITS}}})\.")
NO_KEY = "none"
"""Instead of a key id, where a column holds what we did not write; it may be a plain secret."""
BATCH = 200


@dataclass
class Count:
    """How the envelopes of one table fared."""

    table: str
    total: int = 0
    """How many there were when we came, and of them:"""
    current: int = 0
    """bore the current key already."""
    resealed: int = 0
    failures: list[DecryptionError] = field(default_factory=list)
    left: int = 0
    """Bear another key in the end: those that failed, and what a process that runs with older
    settings has written since."""


class Source(Protocol):
    """A table in which envelopes stand."""

    table: str

    def keys(self) -> Counter[str]:
        """Key id → how many envelopes bear it."""

    def stale(self, after: Any, size: int) -> Sequence[models.Model]:
        """Up to `size` rows behind the primary key `after` that bear another key."""

    def reseal(self, row: Any, count: Count) -> None:
        """Write it with the current key. What was changed meanwhile is left to the next pass."""


class Columns:
    """Columns of text, each an envelope or empty."""

    purpose = Purpose.FIELDS

    def __init__(self, model: type[models.Model], names: list[str]) -> None:
        self.table = model._meta.db_table
        self._model = model
        self._names = names

    def keys(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for name in self._names:
            filled = self._rows().exclude(**{name: Envelope("")}).order_by()
            start = Substr(name, 1, HEAD, output_field=models.CharField())
            for head, number in filled.values_list(start).annotate(models.Count("pk")):
                found[_key_id(head)] += number
        return found

    def stale(self, after: Any, size: int) -> Sequence[models.Model]:
        is_stale = models.Q()
        for name in self._names:
            is_current = models.Q(**{f"{name}__startswith": current_prefix()})
            is_stale |= ~models.Q(**{name: Envelope("")}) & ~is_current
        rows = self._rows().filter(is_stale).order_by("pk")
        return list((rows if after is None else rows.filter(pk__gt=after))[:size])

    def reseal(self, row: Any, count: Count) -> None:
        for name in self._names:
            envelope = str(row.__dict__[name])
            if not envelope or envelope.startswith(current_prefix()):
                continue
            place = self._place(row, name)
            try:
                plain = crypto.decrypt(envelope, bound_to=place, purpose=self.purpose)
            except DecryptionError as error:
                count.failures.append(error)
                continue
            anew = crypto.encrypt(plain, bound_to=place, purpose=self.purpose)
            unchanged = self._rows().filter(pk=row.pk, **{name: Envelope(envelope)})
            count.resealed += unchanged.update(**{name: Envelope(anew)})

    def _rows(self) -> models.QuerySet[Any]:
        return self._model._base_manager.all()  # noqa: SLF001  documented by Django

    def _place(self, row: Any, name: str) -> str:
        place: str = getattr(row, name).bound_to
        return place


class Sessions(Columns):
    """What browsers are remembered by; what has expired opens nothing any more."""

    purpose = Purpose.SESSIONS

    def __init__(self) -> None:
        super().__init__(Session, ["session_data"])

    def _rows(self) -> models.QuerySet[Any]:
        return Session.objects.alive()

    def _place(self, row: Session, name: str) -> str:
        return store.place_of(row.session_key)


class SecondFactors:
    """The secrets in what django-allauth keeps as JSON: a few rows for each person."""

    table = Authenticator._meta.db_table

    def keys(self) -> Counter[str]:
        rows = Authenticator.objects.all()
        return Counter(
            _key_id(envelope[:HEAD]) for row in rows for envelope in sealing.sealed(row).values()
        )

    def stale(self, after: Any, size: int) -> Sequence[models.Model]:
        rows = Authenticator.objects.filter(pk__gt=after or 0).order_by("pk")
        return [row for row in rows if _stale_names(row)][:size]

    def reseal(self, row: Any, count: Count) -> None:
        with transaction.atomic():  # JSON does not compare alike on every database: lock the row
            held = Authenticator.objects.select_for_update().filter(pk=row.pk).first()
            for name in _stale_names(held) if held else []:
                try:
                    sealing.reseal(held, name)
                except DecryptionError as error:
                    count.failures.append(error)
                else:
                    count.resealed += 1
            if held:
                held.save(update_fields=["data"])


def _stale_names(row: Authenticator) -> list[str]:
    secrets = sealing.sealed(row).items()
    return [name for name, envelope in secrets if not envelope.startswith(current_prefix())]


def sources() -> list[Source]:
    """Every place in the database where envelopes stand."""
    columns: list[Source] = [
        Columns(model, names)
        for model in apps.get_models()
        if (names := [one.attname for one in _encrypted_fields(model)])
    ]
    return [*columns, SecondFactors(), Sessions()]


def _encrypted_fields(model: type[models.Model]) -> list[EncryptedField]:
    return [one for one in model._meta.local_fields if isinstance(one, EncryptedField)]


def _key_id(head: str) -> str:
    found = HEAD_FORM.fullmatch(head)
    return found[1] if found else NO_KEY


def keys_in_use() -> Counter[str]:
    """Key id → how many stored secrets bear it: a query for each column."""
    return sum((source.keys() for source in sources()), Counter[str]())


def rotate(
    *, batch: int = BATCH, tell: Callable[[Count], None] = lambda _count: None
) -> list[Count]:
    """Seal everything with the current key; says for each table how that went.

    `tell` hears of every `batch` rows. Where nothing is to be done, nothing goes on record.
    """
    current = crypto.known_key_ids()[0]
    found = [(source, source.keys()) for source in sources()]
    counts = [Count(one.table, total=keys.total(), current=keys[current]) for one, keys in found]
    if any(count.current < count.total for count in counts):
        with audited(Action.KEYS_ROTATED, target=current) as change:
            for (source, _keys), count in zip(found, counts, strict=True):
                _reseal_all(source, count, batch, tell)
            change.after.update(
                resealed=sum(count.resealed for count in counts),
                left=sum(count.left for count in counts),
            )
    return counts


def _reseal_all(source: Source, count: Count, batch: int, tell: Callable[[Count], None]) -> None:
    """Pass by pass: the last one found nothing more that it could write."""
    resealed = -1
    while count.resealed > resealed:
        resealed = count.resealed
        count.failures.clear()
        after = None
        while rows := source.stale(after, batch):
            for row in rows:
                source.reseal(row, count)
            after = rows[len(rows) - 1].pk
            tell(count)
    keys = source.keys()
    count.left = keys.total() - keys[crypto.known_key_ids()[0]]
