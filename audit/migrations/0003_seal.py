from dataclasses import asdict

from django.core.management.color import no_style
from django.db import migrations
from django.db.models import F, OuterRef, Subquery

from audit import chain
from purelymanage.core.addresses import shown_text

ROWS = 500
SEALED = ["position", "link", "mac", "key_id"]


def seal(apps, schema_editor):
    """Tie the rows that exist together: each entry, then its outcome, in the order of the entries.

    Their names are brought into the form in which new ones are stored, since no row changes later.
    An entry's position becomes its key, as with new ones: old keys have gaps, and one beyond the
    last position would be in the way of an entry to come.
    """
    Entry, Outcome = apps.get_model("audit", "Entry"), apps.get_model("audit", "Outcome")
    key_id, key = next(iter(chain.known_keys().items()), ("", b""))
    head, last = chain.START, 0
    while entries := list(Entry.objects.filter(pk__gt=last).order_by("pk")[:ROWS]):
        outcomes = Outcome.objects.in_bulk([entry.pk for entry in entries])
        for entry in entries:
            entry.target = shown_text(entry.target)
            entry.before, entry.after = chain.plain(entry.before), chain.plain(entry.after)
            head = _seal(entry, head, key_id, key, id=head.position + 1)
            if outcome := outcomes.get(entry.pk):
                outcome.after = chain.plain(outcome.after)
                head = _seal(outcome, head, key_id, key, entry_id=entry.position)
        last = entries[-1].pk
        Entry.objects.bulk_update(entries, [*SEALED, "target", "before", "after"], batch_size=100)
        Outcome.objects.bulk_update(outcomes.values(), [*SEALED, "after"], batch_size=100)
    _renumber(Entry, Outcome)
    apps.get_model("audit", "Chain").objects.create(pk=1, **asdict(head))


def _seal(row, previous, key_id, key, **renumbered):
    row.position, row.key_id = previous.position + 1, key_id
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    values |= renumbered
    row.link = chain.link_after(previous, chain.canonical(row._meta.model_name, values))
    row.mac = chain.mac_of(key, row.position, row.link, vouches=True)
    return chain.Seal(row.position, row.link, row.mac, key_id)


def _renumber(Entry, Outcome):
    """By way of negative keys, since a new one may still be the old one of another entry."""
    entry = Entry.objects.filter(pk=OuterRef("entry_id"))
    Outcome.objects.update(entry_id=-Subquery(entry.values("position")))
    Entry.objects.update(id=-F("position"))
    Outcome.objects.update(entry_id=-F("entry_id"))
    Entry.objects.update(id=-F("id"))


def unseal(apps, schema_editor):
    """Keys of rows were given by us meanwhile; the database counts on from the highest."""
    apps.get_model("audit", "Chain").objects.all().delete()
    Entry = apps.get_model("audit", "Entry")
    with schema_editor.connection.cursor() as cursor:
        for statement in schema_editor.connection.ops.sequence_reset_sql(no_style(), [Entry]):
            cursor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_chain")]
    operations = [migrations.RunPython(seal, unseal)]
