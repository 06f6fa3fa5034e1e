"""Rows that were there before the chain are sealed into it, and the way back works."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import F

from audit import guards
from audit.models import Entry
from audit.tests.chains import make_history
from audit.verification import Verdict, verify

pytestmark = pytest.mark.django_db(transaction=True)


def migrate(name: str):
    executor = MigrationExecutor(connection)
    executor.migrate([("audit", name)])
    return MigrationExecutor(connection).loader.project_state([("audit", name)]).apps


def test_old_rows_are_sealed_and_new_ones_follow():
    make_history(3)
    apps = migrate("0001_initial")
    try:
        old = apps.get_model("audit", "Entry")
        outcome = apps.get_model("audit", "Outcome")
        old.objects.create(actor_name="Zoë", action="rule.changed")
        for number in range(1200):
            entry = old(actor_name="Zoë", action="rule.changed", address="2001:db8::1")
            entry.pk = number + 10 if number < 600 else number + 2_000  # as after rollbacks
            entry.target, entry.after = f"{number}@xn--bcher-kva.example", {"n": 1e16, "x": [2.0]}
            entry.save()
            if number % 10:
                outcome.objects.create(entry=entry, result="ok", after={"y": -0.0})
    finally:
        migrate("0005_verification_code")
        guards.let_tests_empty_tables(connection)
    assert Entry.objects.filter(target="7@bücher.example").count() == 1
    report = verify()
    assert (report.verdict, report.entries) == (Verdict.GOOD, 1204)
    assert not Entry.objects.exclude(pk=F("position")).exists()
    assert Entry.objects.get(target="601@bücher.example").outcome.after == {"y": 0}
    make_history(400)
    assert verify().verdict == Verdict.GOOD
