"""The one reader and the one writer of CSV, for files that come from and go to spreadsheets."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from django.core.exceptions import ValidationError
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from purelymanage.core.downloads import attachment
from purelymanage.core.errors import InvalidError

DELIMITERS = (",", ";", "\t")
BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How a cell begins that a spreadsheet would take for a formula and run."""
LOOKED_AT = 20
"""Lines that must agree on the delimiter where there is no header to tell it."""
CHUNK = 500
MAX_MEGABYTES = 2
_SEP_LINE = re.compile(r"sep=([,;\t])\r?\n?", re.IGNORECASE)  # Excel's own hint


@dataclass(frozen=True)
class Row:
    """One line of a table. Where the line cannot be split into its columns, `error` says why.

    Such a line has no values: with shifted columns, a password could stand under any name.
    """

    line: int
    """Where it begins, as an editor counts."""
    values: Mapping[str, str]
    """By the name of the column, as written: nothing is trimmed. A column left out is empty."""
    error: str = ""


@dataclass(frozen=True)
class Table:
    """What a file holds, blank lines left out."""

    rows: Sequence[Row]
    is_guessed: bool
    """Whether it was read as Windows-1252, which no file can contradict: look at its letters."""


def read_table(
    content: bytes, *, columns: Sequence[str], required: Sequence[str], max_rows: int = 10_000
) -> Table:
    """Read a CSV file as people make them; raises InvalidError where it can be no such table.

    The first line names the columns, in any order; without such a line, each line must have exactly
    these columns in this order. The header decides the delimiter, so that a `;` in a password
    does not.
    """
    text, is_guessed = _decode(content)
    delimiter, header = _form_of(text, columns=columns, required=required)
    lines = _lines(text, delimiter)
    if header:
        next(lines)
    else:
        header = [*columns]
    rows = [_row(line, cells, header, delimiter) for line, cells in islice(lines, max_rows + 1)]
    if len(rows) > max_rows:
        raise InvalidError(
            _("There are more than %(number)s lines. Split the file and upload it in parts.")
            % {"number": f"{max_rows:,}"}
        )
    if not rows:
        raise InvalidError(_("There is nothing below the first line. Add a line for each entry."))
    return Table(rows=rows, is_guessed=is_guessed)


def refuse_large(size: int) -> None:
    """What every form says that takes a table, of a file or of pasted lines; `size` in bytes."""
    if size > MAX_MEGABYTES * 1024 * 1024:
        raise ValidationError(
            _("This is more than %(number)d MB. Split it and upload it in parts.")
            % {"number": MAX_MEGABYTES}
        )


def csv_response(
    filename: str,
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    is_secret: bool = False,
) -> StreamingHttpResponse:
    """A CSV file for spreadsheets, sent as it is made: UTF-8 with BOM, CRLF, formulas disarmed.

    Text that a spreadsheet would run gets an apostrophe in front, which no reader of ours takes
    away. So a password goes into such a file only if it does not begin like a formula.
    """
    response = StreamingHttpResponse(
        _written(header, rows),
        content_type="text/csv; charset=utf-8",
        headers=attachment(filename),
    )
    if is_secret:
        response.headers["Cache-Control"] = "no-store, private"
    return response


def _decode(content: bytes) -> tuple[str, bool]:
    """The text, and whether its encoding had to be guessed."""
    _refuse_other_files(content)
    encoding = next((name for bom, name in BOMS if content.startswith(bom)), "utf-8")
    try:
        text, is_guessed = content.decode(encoding), False
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise InvalidError(
                _("Some letters of the file are damaged. Save it again as CSV in UTF-8.")
            ) from None
        text, is_guessed = _western(content), True
    if "\0" in text:
        raise InvalidError(_("This is not a text file. Save it as CSV in UTF-8."))
    if not text.strip():
        raise InvalidError(_("The file is empty."))
    hint = _SEP_LINE.match(text)
    return ("\n" + text[hint.end() :] if hint else text), is_guessed


def _western(content: bytes) -> str:
    """What older Excel writes; five of its bytes mean nothing, so latin-1 takes those."""
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _refuse_other_files(content: bytes) -> None:
    """Name the commonest kinds of file that are no CSV."""
    if content.startswith(b"PK\x03\x04"):
        if b"opendocument" in content[:200]:
            raise InvalidError(_("This is a LibreOffice file. Save it as CSV."))
        if b"xl/" in content or b"[Content_Types].xml" in content:
            raise InvalidError(_("This is an Excel file. Save it as CSV."))
        raise InvalidError(_("This is a ZIP archive. Unpack it and upload the CSV file in it."))
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise InvalidError(_("This is an Excel file. Save it as CSV."))
    if content.startswith(b"%PDF"):
        raise InvalidError(_("This is a PDF file. Upload the table itself, saved as CSV."))


def _form_of(
    text: str, *, columns: Sequence[str], required: Sequence[str]
) -> tuple[str, list[str]]:
    """The delimiter, and the column that each place of the header names; [] without a header."""
    known = {_plain(name): name for name in columns}
    starts = {delimiter: _start(text, delimiter) for delimiter in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda name: _known_in(starts[name][0], known))
    first = _trimmed(starts[delimiter][0])
    if _is_header(first, known):
        return delimiter, _header(first, known, required)

    def fits(cells: Sequence[str]) -> bool:
        return len(_trimmed(cells, keep=len(columns))) == len(columns)

    fitting = [name for name in DELIMITERS if fits(starts[name][0])]
    if len(fitting) > 1:
        fitting = [name for name in fitting if all(map(fits, starts[name]))]
    if len(fitting) != 1:
        raise InvalidError(
            _("The first line does not name the columns. Begin the file with the line %(header)s")
            % {"header": ",".join(columns)}
        )
    return fitting[0], []


def _start(text: str, delimiter: str) -> list[list[str]]:
    """The first lines as this delimiter would split them; at least one."""
    lines: list[list[str]] = []
    try:
        for _line, cells in islice(_lines(text, delimiter), LOOKED_AT):
            lines.append(cells or [])
    except InvalidError:
        pass  # the quotes make no sense with this delimiter, or it is said when all is read
    return lines or [[]]


def _known_in(cells: Sequence[str], known: Mapping[str, str]) -> int:
    return sum(_plain(cell) in known for cell in cells)


def _is_header(cells: Sequence[str], known: Mapping[str, str]) -> bool:
    """A single known word may be data: somebody's local part is `password`."""
    number = _known_in(cells, known)
    return number > 1 or 0 < number == len(cells)


def _header(cells: Sequence[str], known: Mapping[str, str], required: Sequence[str]) -> list[str]:
    """The column of each place; raises InvalidError where the names are not the ones we take."""
    words = {"columns": ", ".join(known.values())}
    unknown = [cell.strip() for cell in cells if _plain(cell) not in known]
    if unknown:
        words["unknown"] = ", ".join(f"“{name}”" for name in unknown)
        raise InvalidError(
            _("The first line has columns unknown here: %(unknown)s. Known are %(columns)s.")
            % words
        )
    header = [known[_plain(cell)] for cell in cells]
    for name in known.values():
        if header.count(name) > 1:
            raise InvalidError(
                _("The first line names the column %(name)s twice.") % {"name": name}
            )
    missing = [name for name in required if name not in header]
    if missing:
        raise InvalidError(
            _("The first line does not name the column %(name)s. Known are %(columns)s.")
            % (words | {"name": missing[0]})
        )
    return header


def _row(line: int, cells: list[str] | None, header: Sequence[str], delimiter: str) -> Row:
    if cells is None:
        return Row(line, {}, _unclosed(line))
    cells = _trimmed(cells, keep=len(header))
    if len(cells) == len(header):
        return Row(line, dict(zip(header, cells, strict=True)))
    words = {"wanted": len(header), "delimiter": _("tab") if delimiter == "\t" else delimiter}
    error = ngettext(
        "The line has %(number)d value instead of %(wanted)d.",
        "The line has %(number)d values instead of %(wanted)d.",
        len(cells),
    ) % (words | {"number": len(cells)})
    if len(cells) > len(header):
        error += " " + _("Put a value that contains %(delimiter)s in quotation marks.") % words
    return Row(line, {}, error)


def _trimmed(cells: Sequence[str], *, keep: int = 0) -> list[str]:
    """Without the empty cells that spreadsheets append on the right."""
    end = len(cells)
    while end > keep and not cells[end - 1].strip():
        end -= 1
    return list(cells[:end])


def _plain(name: str) -> str:
    """`Local Part`, `local-part` and `local_part` are one column."""
    return re.sub(r"[\s_-]", "", name).lower()


def _lines(text: str, delimiter: str) -> Iterator[tuple[int, list[str] | None]]:
    """The number and cells of each line that is not blank; None where its quotes make no sense."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        cells: list[str] | None = None
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "field larger" in str(error):
                raise InvalidError(_oversized(line)) from None
            if reader.line_num > line:  # it swallowed lines in search of the other quote
                raise InvalidError(_unclosed(line)) from None
        if cells is None or any(cell.strip() for cell in cells):
            yield line, cells


def _oversized(line: int) -> str:
    return _("Line %(line)d has a value of more than %(most)s characters. Shorten it.") % {
        "line": line,
        "most": f"{csv.field_size_limit():,}",
    }


def _unclosed(line: int) -> str:
    return _(
        "A quotation mark that opens in line %(line)d does not close where its value ends. "
        "Inside of a value, write a quotation mark twice."
    ) % {"line": line}


def _written(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Chunks of the file: a line each would cost more than the lines themselves."""
    buffer = io.StringIO("\ufeff", newline="")
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer)
    writer.writerow(header)
    for number, row in enumerate(rows, 1):
        writer.writerow([_harmless(cell) for cell in row])
        if number % CHUNK == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
