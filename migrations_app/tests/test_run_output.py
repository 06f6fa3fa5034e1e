"""What an engine prints, on its way into the log and onto the page."""

from __future__ import annotations

import pytest

from migrations_app.engines.base import LogLine
from migrations_app.running import logs, output
from migrations_app.tests.queueing import make_job


@pytest.mark.once
def test_lines_are_cut_at_their_ends_whatever_the_pieces():
    lines = output.Lines()
    text = "eins\nzwei\r\nä\nlast"
    found = [line for byte in text.encode() for line in lines.feed(bytes([byte]))]
    assert [*found, *lines.end()] == ["eins", "zwei", "ä", "last"]


@pytest.mark.once
def test_any_bytes_make_a_line():
    lines = output.Lines()
    found = list(lines.feed(b"\xff\x00\x1b[31m\n" + b"z" * 200_000 + b"\nnext\n"))
    assert len(found) == 3
    assert len(found[1]) == output.LINE_BYTES + 1
    assert found[2] == "next"
    assert logs.line(found[0]).count("\n") == 1
    assert "\x00" not in logs.line(found[0])


@pytest.mark.once
def test_of_what_waits_too_long_head_and_tail_are_kept_and_the_rest_is_counted(monkeypatch):
    monkeypatch.setattr(output, "HEAD_CHARACTERS", 100)
    monkeypatch.setattr(output, "TAIL_CHARACTERS", 300)
    buffer = output.LogBuffer(output.Redactor([]))
    for number in range(50):
        buffer.add(LogLine(f"line {number} " + "x" * 40))
    lines = buffer.take()
    [at] = [place for place, line in enumerate(lines) if "left out" in line]
    assert 0 < at < 5
    assert 0 < len(lines) - at - 1 < 5
    assert "line 0 " in lines[0]
    assert "line 49 " in lines[-1]
    assert f"{50 - (len(lines) - 1)} lines left out" in lines[at]
    assert not buffer.take()


@pytest.mark.once
def test_what_could_not_be_stored_comes_before_what_was_added_meanwhile():
    buffer = output.LogBuffer(output.Redactor([]))
    buffer.add(LogLine("first"))
    lines = buffer.take()
    buffer.add(LogLine("second"))
    buffer.give_back(lines)
    assert [line.split()[-1] for line in buffer.take()] == ["first", "second"]
    assert not buffer.has_lines()


@pytest.mark.django_db
def test_the_tail_goes_on_without_repeats_or_gaps(monkeypatch):
    monkeypatch.setattr(logs, "CHUNK_CHARACTERS", 200)
    job = make_job()
    written = ""
    read = ""
    last = 0
    for batch in range(5):
        text = "".join(logs.line(f"{batch} {number} ü") for number in range(13))
        logs.append(job, text)
        written += text
        tail = logs.tail(job, after_id=last)
        read += tail.text
        last = tail.last_id
    assert read == written == "".join(logs.stream(job))
    assert logs.tail(job, after_id=last) == logs.Tail(text="", last_id=last)
    assert all(chunk.text.endswith("\n") for chunk in job.log_chunks.all())


@pytest.mark.django_db
def test_a_long_log_opens_at_its_end(monkeypatch):
    monkeypatch.setattr(logs, "NEWEST_CHUNKS", 2)
    job = make_job()
    for number in range(5):
        logs.append(job, logs.line(f"chunk {number}"))
    tail = logs.tail(job)
    assert tail.is_cut
    assert [line.split()[-1] for line in tail.text.splitlines()] == ["3", "4"]
