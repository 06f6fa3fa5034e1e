"""`manage.py import_migrations`: the same reader and services as the page, and its exit status."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from audit.models import Entry
from migrations_app.management.commands.import_migrations import Command
from migrations_app.models import Batch, BatchLine, BatchState, MigrationJob, State
from migrations_app.services import batches
from migrations_app.tests.batching import (
    DOMAIN,
    GOOD,
    HEADER,
    SECRET,
    old_server,
    purelymail_server,
    table,
)
from migrations_app.tests.factories import JobFactory

pytestmark = pytest.mark.django_db
BAD = f"max@old.example,{SECRET},max@other.example,{SECRET}\n"


@pytest.fixture(autouse=True)
def _servers(db: None) -> None:
    old_server()
    purelymail_server()


def run(
    tmp_path: Path,
    content: str,
    *options: str,
    source: str = "old provider",
    errors: io.StringIO | None = None,
) -> tuple[int, str]:
    """Its exit status, and what it printed; what it complained of goes into `errors`."""
    file = tmp_path / "staff.csv"
    file.write_text(content)
    out, complaints = io.StringIO(), errors or io.StringIO()
    ends = ("--source", source, "--destination", "PurelyMail")
    try:
        call_command("import_migrations", str(file), *ends, *options, stdout=out, stderr=complaints)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


def test_all_good_lines_become_dry_runs_at_once(tmp_path):
    status, told = run(tmp_path, table(600))
    batch = Batch.objects.get()
    assert (status, told) == (0, "staff: 600 of 600 lines imported as dry runs.\n")
    assert batch.state == BatchState.ACTIVE
    assert batch.created_by_name == "system"
    jobs = batch.jobs.filter(state=State.QUEUED, dry_run=True)
    assert jobs.count() == 600
    assert not BatchLine.objects.exclude(source_password="", destination_password="").exists()


def test_real_and_its_other_choices(tmp_path):
    options = ("--real", "--paused", "--app-passwords", "--batch", "Weekend")
    status, told = run(tmp_path, HEADER + GOOD, *options)
    batch = Batch.objects.get()
    assert (status, told) == (0, "Weekend: 1 of 1 lines imported.\n")
    assert batch.is_paused
    assert batch.jobs.filter(dry_run=False, uses_app_password=True).count() == 1


def test_what_is_left_out_is_named_by_line_and_tells_so_by_its_status(tmp_path):
    status, told = run(tmp_path, HEADER + GOOD + BAD)
    assert status == 3
    assert told.splitlines() == [
        "Line 3: other.example is not one of your domains at PurelyMail.",
        "staff: 1 of 2 lines imported as dry runs.",
    ]


def test_json_tells_the_same(tmp_path):
    status, told = run(tmp_path, HEADER + GOOD + BAD, "--json")
    assert status == 3
    assert json.loads(told) == {
        "batch": Batch.objects.get().pk,
        "name": "staff",
        "lines": 2,
        "imported": 1,
        "problems": [
            {"line": 3, "problem": "other.example is not one of your domains at PurelyMail."}
        ],
    }


@pytest.mark.parametrize(
    ("content", "options"), [(HEADER + GOOD + BAD, ["--all-or-nothing"]), (HEADER + BAD, [])]
)
def test_where_nothing_is_imported_nothing_stays(tmp_path, content, options):
    status, told = run(tmp_path, content, "--json", *options)
    assert status == 1
    assert json.loads(told)["batch"] is None
    assert json.loads(told)["imported"] == 0
    assert Batch.objects.get().state == BatchState.DISCARDED
    assert not BatchLine.objects.exists()
    assert not MigrationJob.objects.exists()


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize(
    ("content", "choice", "words"),
    [
        (HEADER + GOOD + BAD, ["--all-or-nothing"], "1 line cannot be imported, so all or nothing"),
        (HEADER + BAD, [], "No line of this file can be imported. Nothing was changed."),
    ],
)
def test_why_nothing_is_imported_is_said(tmp_path, content, choice, words, options):
    errors = io.StringIO()
    assert run(tmp_path, content, *choice, *options, errors=errors)[0] == 1
    assert words in errors.getvalue()


def test_nothing_stays_either_where_somebody_was_quicker(tmp_path, monkeypatch):
    def quicker(**values):
        source, destination = old_server(), purelymail_server()
        JobFactory(
            source_server=source,
            destination_server=destination,
            source_address="lea@old.example",
            destination_address=f"lea@{DOMAIN}",
            dry_run=True,
            state=State.QUEUED,
        )
        return import_all(**values)

    import_all = batches.import_all
    monkeypatch.setattr(batches, "import_all", quicker)
    status, told = run(tmp_path, HEADER + GOOD, "--all-or-nothing")
    assert (status, "0 of 1 lines" in told) == (1, True)
    assert Batch.objects.get().state == BatchState.DISCARDED
    assert not BatchLine.objects.exists()


def test_what_was_made_before_somebody_stopped_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "SLICE", 2)
    record_all = batches.record_all

    def stops(happened):
        record_all(happened)
        batches.stop_import(batch=Batch.objects.get())

    monkeypatch.setattr(batches, "record_all", stops)
    status, told = run(tmp_path, table(3), "--json")
    batch = Batch.objects.get()
    assert (status, json.loads(told)["batch"], json.loads(told)["imported"]) == (3, batch.pk, 2)
    assert (batch.state, batch.jobs.count()) == (BatchState.ACTIVE, 2)
    assert not BatchLine.objects.exclude(source_password="").exists()


@pytest.mark.parametrize(
    ("content", "source", "words"),
    [
        (HEADER, "Old provider", "nothing below the first line"),
        (HEADER + GOOD, "New provider", "There are: Old provider, PurelyMail."),
        ("x" * (2 * 1024 * 1024 + 1), "Old provider", "more than 2 MB"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_status_1(tmp_path, content, source, words):
    status, told = run(tmp_path, content, source=source)
    assert status == 1
    assert words in told
    assert not Batch.objects.exists()


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CommandError, match=r"gone\.csv: No such file or directory\."):
        call_command(
            "import_migrations", "gone.csv", source="Old provider", destination="PurelyMail"
        )


@pytest.mark.parametrize("options", [["--real", "--dry-run"], ["--maybe"]])
def test_wrong_arguments_are_status_2(tmp_path, options, capsys):
    ends = ["--source", "Old provider", "--destination", "PurelyMail"]
    with pytest.raises(SystemExit) as ended:
        Command().run_from_argv(["manage.py", "import_migrations", "x.csv", *ends, *options])
    assert ended.value.code == 2
    assert options[-1] in capsys.readouterr().err


def test_no_password_is_printed_or_on_record(tmp_path):
    told = run(tmp_path, HEADER + GOOD + BAD)[1] + run(tmp_path, table(1), "--json")[1]
    assert SECRET not in told
    assert SECRET not in str(list(Entry.objects.values()))
    assert Entry.objects.filter(action="job.created", target=f"lea@{DOMAIN}").exists()


def test_standard_input_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO((HEADER + GOOD).encode())))
    call_command(
        "import_migrations",
        "-",
        source="Old provider",
        destination="PurelyMail",
        stdout=io.StringIO(),
    )
    assert Batch.objects.get().name == "standard input"
