"""Every captured run of imapsync through the reader: how it ended, why, and its messages."""

from __future__ import annotations

import re

import pytest

from migrations_app.engines.imapsync.parser import ImapsyncReader
from migrations_app.engines.plan import Endpoint, Plan
from migrations_app.tests import captured_runs, transcripts
from migrations_app.tests.captured_runs import RUNS, WITHOUT_COUNTS, Run

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(
        not captured_runs.FOLDER.is_dir(), reason="no captured runs beside the repository"
    ),
]
COUNTS = ("found", "copied", "present", "skipped", "failed")


def plan_of(text: str) -> Plan:
    ends = (Endpoint("old.example", 993, "tls", "a"), Endpoint("new.example", 993, "tls", "b"))
    return Plan(*ends, captured_runs.is_dry(text))


@pytest.mark.parametrize("name", RUNS)
def test_a_captured_run_ends_as_it_did_with_its_counts(name: str) -> None:
    text, expected = captured_runs.text_of(name), RUNS[name]
    lines, status = transcripts.transcript(text)
    reader = ImapsyncReader(plan_of(text))

    log = [entry.text for line in lines for entry in reader.feed(line)]
    verdict = reader.conclude(status)

    assert (verdict.state, verdict.cause) == (expected.state, expected.cause)
    assert verdict.sentence.endswith((".", "…"))
    assert len(log) < 250
    assert not [line for line in log if re.search(r"Subject:\[(?!…)", line)]
    if name not in WITHOUT_COUNTS:
        folders, losses = reader.progress.folders.values(), reader.progress.losses
        sums = {count: sum(getattr(folder, count) for folder in folders) for count in COUNTS}
        assert Run(verdict.state, verdict.cause, **sums, lost=len(losses)) == expected
        assert reader.progress.messages_done == expected.done
        assert not [loss for loss in losses.values() if "Subject" in loss.reason]


@pytest.mark.parametrize("name", sorted(RUNS.keys() - WITHOUT_COUNTS))
def test_the_table_agrees_with_what_imapsync_said_itself(name: str) -> None:
    text = captured_runs.text_of(name)
    said = re.search(r"^Messages transferred +: (\d+)(?: \(could be (\d+))?", text, re.MULTILINE)
    if said:
        assert RUNS[name].copied == int(said[2] or said[1])
    failed = re.findall(r"^- msg \S+ .*could not (?:append|be fetched)", text, re.MULTILINE)
    assert RUNS[name].failed == len(failed)


def test_no_captured_run_is_forgotten() -> None:
    there = {path.stem for path in captured_runs.FOLDER.glob("[0-9]*.txt")}
    assert there <= RUNS.keys()
