"""Reports as files: for spreadsheets, and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.text import slugify

from migrations_app.engines.plan import Options
from migrations_app.models import Batch, Loss, MigrationJob
from migrations_app.reports.figures import Figures, unnamed_words
from migrations_app.selectors.losses import Losses
from migrations_app.selectors.reports import BatchSummary, FolderRow, MailboxReport, MailboxRow
from purelymanage.core.downloads import as_json, as_moment, json_object, json_response
from purelymanage.core.tables import csv_response

FIGURES = (
    "found",
    "copied",
    "to_copy",
    "already_there",
    "skipped",
    "skipped_why",
    "failed",
    "difference",
    "bytes_found",
    "bytes_copied",
    "destination_messages",
    "destination_bytes",
)
OPTIONS = ("only_folders", "folders_left_out", "max_age_days", "max_message_bytes")
FOLDER_COLUMNS = ("folder", "destination_folder", *FIGURES, "verdict")
MAILBOX_COLUMNS = (
    "job",
    "source_address",
    "source_host",
    "destination_address",
    "destination_host",
    "run",
    *OPTIONS,
    "state",
    "cause",
    "engine",
    "created_by",
    "started_at",
    "ended_at",
    "folders",
    *FIGURES,
    "verdict",
    "what_to_do",
)
LOSS_COLUMNS = ("folder", "uid", "bytes", "reason")
LOST_MAIL_COLUMNS = ("job", "source_address", "source_host", "destination_address", *LOSS_COLUMNS)


def job_csv(report: MailboxReport) -> StreamingHttpResponse:
    """A line per folder."""
    lines = ([*folder_facts(row).values()] for row in report.folders)
    return csv_response(_job_file(report.job, "csv"), FOLDER_COLUMNS, _cells(lines))


def job_json(report: MailboxReport) -> StreamingHttpResponse:
    """One object: the run, its sum, its folders, and the messages that did not arrive."""
    row = MailboxRow(report.job, report.total, report.look)
    whole = {
        **mailbox_facts(row),
        "by_folder": [folder_facts(folder) for folder in report.folders],
        "did_not_arrive": [loss_facts(loss) for loss in report.losses.rows],
        "did_not_arrive_unnamed": report.losses.unnamed,
    }
    return json_response(_job_file(report.job, "json"), [as_json(whole)])


def job_losses_csv(job: MigrationJob, losses: Losses) -> StreamingHttpResponse:
    """A line per message that did not arrive."""
    name = _job_file(job, "csv", about="losses")
    return csv_response(name, LOSS_COLUMNS, _cells(_loss_lines(losses.rows, losses.total)))


def batch_losses_csv(
    batch: Batch, losses: Iterable[tuple[MigrationJob, list[Loss]]]
) -> StreamingHttpResponse:
    """A line per message that did not arrive, with the mailbox it is of."""
    name = _batch_file(batch, "csv", about="losses")
    return csv_response(name, LOST_MAIL_COLUMNS, _cells(_lost_mail(losses)))


def _lost_mail(losses: Iterable[tuple[MigrationJob, list[Loss]]]) -> Iterator[list[Any]]:
    for job, kept in losses:
        mailbox = [job.pk, job.source_address, job.source_host, job.destination_address]
        for line in _loss_lines(kept, job.messages_failed):
            yield [*mailbox, *line]


def _loss_lines(kept: list[Loss], total: int) -> list[list[Any]]:
    """And one for those not kept by name, so that no list looks complete that is not."""
    lines: list[list[Any]] = [[*loss_facts(loss).values()] for loss in kept]
    unnamed = total - len(kept)
    return [*lines, ["", "", None, unnamed_words(unnamed, of=total)]] if unnamed > 0 else lines


def loss_facts(loss: Loss) -> dict[str, Any]:
    """Under the names of LOSS_COLUMNS."""
    return {"folder": loss.folder, "uid": loss.uid, "bytes": loss.bytes, "reason": loss.reason}


def batch_csv(batch: Batch, rows: Iterable[MailboxRow]) -> StreamingHttpResponse:
    """A line per mailbox."""
    lines = ([*mailbox_facts(row).values()] for row in rows)
    return csv_response(_batch_file(batch, "csv"), MAILBOX_COLUMNS, _cells(lines))


def batch_json(
    batch: Batch, summary: BatchSummary, rows: Iterable[MailboxRow]
) -> StreamingHttpResponse:
    """One object: the batch, its sum, and its mailboxes, each on a line of its own."""
    total, sums = summary.total, _figures(summary.total)
    del sums["skipped_why"]  # told by mailbox only
    head = {
        "batch": batch.pk,
        "name": batch.name,
        "created_by": batch.created_by_name,
        "created_at": _written(batch.created_at),
        "reported_at": _written(timezone.now()),
        "run": summary.run,
        **_options(summary.options),
        "mailboxes_with_other_options": summary.others,
        "total": {"folders": total.folders, **sums, "verdict": str(summary.look.word)},
    }
    pieces = json_object(head, "mailboxes", map(mailbox_facts, rows))
    return json_response(_batch_file(batch, "json"), pieces)


def folder_facts(row: FolderRow) -> dict[str, Any]:
    """Under the names of FOLDER_COLUMNS."""
    ends = {"folder": row.result.source, "destination_folder": row.result.destination}
    return {**ends, **_figures(row.figures), "verdict": str(row.look.word)}


def mailbox_facts(row: MailboxRow) -> dict[str, Any]:
    """Under the names of MAILBOX_COLUMNS."""
    job = row.job
    values = (
        job.pk,
        job.source_address,
        job.source_host,
        job.destination_address,
        job.destination_host,
        "dry" if job.dry_run else "real",
        *_options(Options.from_json(job.options)).values(),
        job.state,
        job.cause,
        job.engine,
        str(job.created_by or ""),
        _written(job.started_at),
        _written(job.ended_at),
        row.figures.folders,
        *_figures(row.figures).values(),
        str(row.look.word),
        job.verdict,
    )
    return dict(zip(MAILBOX_COLUMNS, values, strict=True))


def _options(options: Options) -> dict[str, Any]:
    """What was to be copied, under the names of OPTIONS."""
    values = (
        list(options.include),
        list(options.exclude),
        options.max_age_days,
        options.max_message_bytes,
    )
    return dict(zip(OPTIONS, values, strict=True))


def _figures(figures: Figures) -> dict[str, Any]:
    values = (
        figures.found,
        figures.copied,
        figures.to_copy,
        figures.present,
        figures.skipped,
        dict(figures.skipped_why),
        figures.failed,
        figures.difference,
        figures.bytes_found,
        figures.bytes_copied,
        figures.there,
        figures.there_bytes,
    )
    return dict(zip(FIGURES, values, strict=True))


def _cells(lines: Iterable[list[Any]]) -> Iterator[list[object]]:
    """What CSV has no form for: nothing is an empty cell, reasons and names are JSON in one."""
    for line in lines:
        yield ["" if value in (None, {}, []) else _cell(value) for value in line]


def _cell(value: object) -> object:
    return as_json(value) if isinstance(value, dict | list) else value


def _written(moment: datetime | None) -> str | None:
    return as_moment(moment) if moment else None


def _job_file(job: MigrationJob, kind: str, *, about: str = "report") -> str:
    return f"{job.log_name.removesuffix('.log')}-{about}.{kind}"


def _batch_file(batch: Batch, kind: str, *, about: str = "report") -> str:
    return f"batch-{batch.pk}-{slugify(batch.name) or 'migrations'}-{about}.{kind}"
