"""Who did what, on what, when, from where, and how it ended. Rows are only ever added."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, timedelta
from typing import Any, NoReturn, Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit import chain
from audit.actions import LASTING, tell
from audit.chain import Seal
from purelymanage.core.locks import lock_transaction

logger = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=15)
"""How long a change may go without an outcome before it counts as interrupted."""
PATIENCE_WITH_LASTING = timedelta(days=7)


HEAD = 1
LAST = 2**63 - 1
BATCH = 1000
READ_HEAD = "SELECT position, link, mac, key_id FROM audit_chain WHERE id = %s"
MOVE_HEAD = "UPDATE audit_chain SET position = %s, link = %s, mac = %s, key_id = %s WHERE id = %s"


class AppendOnlyError(TypeError):
    """Some code tried to change history."""


class Sealed(models.Model):
    """A row with a place in the chain (`audit.chain`)."""

    position = models.BigIntegerField(unique=True, editable=False)
    link = models.CharField(max_length=64, editable=False)
    mac = models.CharField(max_length=64, editable=False)
    key_id = models.CharField(max_length=8, editable=False)

    class Meta:
        abstract = True

    @property
    def seal(self) -> Seal:
        return Seal(self.position, self.link, self.mac, self.key_id)


class ChainManager(models.Manager["Chain"]):
    """The one way by which rows enter the log."""

    def append(self, rows: Sequence[AppendOnly]) -> None:
        """Seal these rows in this order and insert them, all or none.

        Whoever appends next waits until the transaction ends. So append last in a transaction of
        your own: then this lock is always the last one taken, and nobody waits for long.
        """
        with transaction.atomic():
            head = self.take_head()
            key_id, key = next(iter(chain.known_keys().items()))
            vouches = head == chain.START or chain.is_ours(head)
            for row in rows:
                head = row.take_place(head, key_id, key, vouches=vouches)
                vouches = True
            for model in (Entry, Outcome):
                _insert([row for row in rows if isinstance(row, model)])
            self._move(head)

    def take_head(self) -> Seal:
        """The seal of the newest row. Nobody else appends until the transaction ends."""
        head = self._locked()
        if head is None:
            lock_transaction("audit.chain")
            head = self._locked() or self.create(pk=HEAD, **asdict(chain.START)).seal
        if head == chain.START or not chain.is_ours(head):
            newest = self.newest()
            if newest != head:
                logger.warning("The head of the audit log was not its newest row: %s", head)
            return newest
        return head

    def _locked(self) -> Seal | None:
        """Plain SQL here and in `_move`: everybody who appends waits for these."""
        lock = "FOR UPDATE" if connection.vendor == "postgresql" else ""
        with connection.cursor() as cursor:
            cursor.execute(f"{READ_HEAD} {lock}", [HEAD])
            row = cursor.fetchone()
        return Seal(*row) if row else None

    def newest(self, upto: int = LAST) -> Seal:
        """The seal of the row with the highest position up to there, whatever the head says."""
        found = [
            model.objects.filter(position__lte=upto).order_by("-position").first()
            for model in (Entry, Outcome)
        ]
        seals = [row.seal for row in found if row is not None]
        cut = Cut.objects.filter(position__lte=upto).order_by("-position").first()
        if cut is not None:
            seals.append(cut.last_removed)
        return max(seals, key=lambda seal: seal.position, default=chain.START)

    def _move(self, head: Seal) -> None:
        with connection.cursor() as cursor:
            cursor.execute(MOVE_HEAD, [head.position, head.link, head.mac, head.key_id, HEAD])


def _insert(rows: Sequence[AppendOnly]) -> None:
    """Past our own `save` and `bulk_create`, which lead here."""
    if len(rows) == 1:
        models.Model.save(rows[0], force_insert=True)
    elif rows:
        table: models.QuerySet[Any] = models.QuerySet(type(rows[0]))
        table.bulk_create(rows, batch_size=BATCH)


class Chain(Sealed):
    """The head of the chain, in the one row with the key `HEAD`: the seal of the newest row."""

    is_cutting = models.BooleanField(default=False, editable=False)
    """Lets the database delete rows; true only inside the transaction of a cut, never stored."""

    objects = ChainManager()

    def __str__(self) -> str:
        return f"{self.position}:{self.mac}"


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """Refuses the bulk ways of changing what is on record; many rows are appended as one is."""

    def bulk_create(self, objs: Iterable[Any], **_options: Any) -> list[Any]:  # type: ignore[override]  # conflicts and updates do not exist here
        rows = list(objs)
        Chain.objects.append(rows)
        return rows

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("Audit rows are never changed.")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("Audit rows are never removed.")


class AppendOnly(Sealed):
    """A row that is written once, into the chain."""

    class Meta:
        abstract = True

    def save(self, **_kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("Audit rows are never changed.")
        Chain.objects.append([self])

    def delete(self, using: Any = None, keep_parents: bool = False) -> NoReturn:  # noqa: FBT001, FBT002  Django's signature
        raise AppendOnlyError("Audit rows are never removed.")

    def take_place(self, previous: Seal, key_id: str, key: bytes, *, vouches: bool) -> Seal:
        """Become the row that follows `previous`."""
        self.position = previous.position + 1
        self.key_id = key_id
        self.prepare()
        values = {
            field.attname: getattr(self, field.attname) for field in self._meta.concrete_fields
        }
        content = chain.canonical(str(self._meta.model_name), values)
        self.link = chain.link_after(previous, content)
        self.mac = chain.mac_of(key, self.position, self.link, vouches=vouches)
        return self.seal

    def prepare(self) -> None:
        """Bring every column into the form in which the database will give it back."""
        raise NotImplementedError


class EntryQuerySet(AppendOnlyQuerySet):
    """Reads of the audit log."""

    def newest_first(self) -> Self:
        return self.select_related("outcome").order_by("-pk")


class Entry(AppendOnly):
    """The start of a change, written before the outside call."""

    class ActorKind(models.TextChoices):
        PERSON = "person", _("Person")
        SYSTEM = "system", _("System")
        CAMPAIGN = "campaign", _("Campaign link")

    at = models.DateTimeField(default=timezone.now, editable=False)
    actor_kind = models.CharField(max_length=10, choices=ActorKind, default=ActorKind.SYSTEM)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    actor_name = models.CharField(max_length=254)
    address = models.GenericIPAddressField(null=True, blank=True)
    action = models.CharField(max_length=50, help_text="audit.actions.Action")
    target = models.CharField(max_length=500, blank=True)
    before = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)

    objects = EntryQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["action"]),
            models.Index(fields=["at"]),
            models.Index(fields=["target"]),
        ]
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return f"{self.actor_name} {self.sentence}"

    def prepare(self) -> None:
        self.pk = self.position  # known before the row is, so that the seal covers it
        self.address = self.address or None
        self.before, self.after = chain.plain(self.before), chain.plain(self.after)

    @property
    def sentence(self) -> str:
        """What was done, to follow the actor's name."""
        return tell(self.action, self.target)

    @property
    def is_interrupted(self) -> bool:
        """Whether the end is missing for so long that something must have stopped it."""
        patience = PATIENCE_WITH_LASTING if self.action in LASTING else PATIENCE
        return not hasattr(self, "outcome") and self.at < timezone.now() - patience


class Outcome(AppendOnly):
    """The end of a change. An entry without one was interrupted."""

    class Result(models.TextChoices):
        OK = "ok", _("Done")
        REFUSED = "refused", _("Refused")
        FAILED = "failed", _("Failed")

    entry = models.OneToOneField(Entry, models.PROTECT, related_name="outcome", primary_key=True)
    at = models.DateTimeField(default=timezone.now, editable=False)
    result = models.CharField(max_length=10, choices=Result)
    reason = models.CharField(max_length=500, blank=True)
    after = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)

    objects = AppendOnlyQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.entry}: {self.get_result_display()}"

    def prepare(self) -> None:
        self.entry = self.entry  # it may have got its key a moment ago
        self.after = chain.plain(self.after)


class Cut(Sealed):
    """Old rows were removed up to this position; what is left begins behind it.

    `link` is that of the last row removed; `mac` and `key_id` are the cut's own.
    """

    row_mac = models.CharField(max_length=64, editable=False)
    rows = models.BigIntegerField(editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"{self.rows} up to {self.position}"

    @property
    def last_removed(self) -> Seal:
        return Seal(self.position, self.link, self.row_mac)

    @property
    def facts(self) -> bytes:
        """What its code is made of."""
        facts = [self.position, self.link, self.row_mac, self.rows, self.key_id]
        return f"cut:{':'.join(map(str, facts))}:{self.at.astimezone(UTC).isoformat()}".encode()


class Verification(models.Model):
    """How the last look at the whole log ended, in the one row with the key `HEAD`."""

    class Verdict(models.TextChoices):
        GOOD = "good", _("Intact")
        TAMPERED = "tampered", _("Tampered with")
        UNKNOWN = "unknown", _("Cannot be checked")

    at = models.DateTimeField()
    verdict = models.CharField(max_length=10, choices=Verdict)
    entries = models.BigIntegerField(help_text="Entries checked")
    kind = models.CharField(max_length=20, blank=True, help_text="audit.verification.Kind")
    position = models.BigIntegerField(null=True, blank=True, help_text="Where it is wrong")
    sentence = models.CharField(max_length=1000, blank=True, help_text="What is wrong")
    head = models.CharField(max_length=100, help_text="The last one that was good: position:mac")
    is_told = models.BooleanField(default=True, help_text="Whether the admins know")
    mac = models.CharField(max_length=64, editable=False)
    key_id = models.CharField(max_length=8, editable=False)

    def __str__(self) -> str:
        return f"{self.get_verdict_display()} {self.head}"

    def keep(self) -> None:
        """Seal it and put it in the place of the one before."""
        self.pk = HEAD
        self.key_id = chain.sealing_key_id()
        self.mac = chain.code_of_note(self.key_id, self._facts) or ""
        self.save()

    @property
    def is_ours(self) -> bool:
        """Whether we wrote it: else it says that admins were told of what they never heard of."""
        return self.mac == chain.code_of_note(self.key_id, self._facts)

    @property
    def _facts(self) -> bytes:
        """What its code is made of: all that the next look builds on."""
        facts = [self.head, self.kind, self.position, self.is_told]
        return f"verification:{':'.join(map(str, facts))}".encode()
