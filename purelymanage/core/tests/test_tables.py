"""Files as people and spreadsheets make them."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest

from purelymanage.core.errors import InvalidError
from purelymanage.core.tables import csv_response, read_table

pytestmark = pytest.mark.once

COLUMNS = ("local_part", "domain", "password")
HEADER = "local_part,domain,password\n"
ONE = {"local_part": "ann", "domain": "a.example", "password": "pw"}


def read(content: str | bytes, **options):
    content = content.encode() if isinstance(content, str) else content
    return read_table(content, columns=COLUMNS, required=COLUMNS[:2], **options)


def values(content: str | bytes):
    return [dict(row.values) for row in read(content).rows]


def sentence(content: str | bytes, **options) -> str:
    with pytest.raises(InvalidError) as refused:
        read(content, **options)
    return refused.value.message


@pytest.mark.parametrize(
    "content",
    [
        "local_part,domain,password\nann,a.example,pw\n",
        "local_part;domain;password\r\nann;a.example;pw\r\n",
        "local_part\tdomain\tpassword\rann\ta.example\tpw\r",
        "Local Part, DOMAIN ,Pass-Word\nann,a.example,pw",
        "password,local_part,domain\npw,ann,a.example",
        '"local_part";"domain";"password"\n"ann";"a.example";"pw"',
        "sep=;\r\nlocal_part;domain;password\r\nann;a.example;pw",
        "local_part,domain,password,,\nann,a.example,pw,,\n,,,,\n\n",
        "ann,a.example,pw",
        "\nann;a.example;pw\n",
    ],
    ids=[
        "comma",
        "semicolon",
        "tab_cr",
        "names",
        "order",
        "quotes",
        "sep",
        "empty",
        "bare",
        "bare;",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_spelling_of_one_table_reads_the_same(content, encoding):
    assert values(content.encode(encoding)) == [ONE]


def test_values_may_hold_delimiters_quotes_and_line_breaks():
    rows = values(
        HEADER + 'ann,a.example,"a,b;c ""d"""\nben,a.example,"x\ny"\ncid,a.example, p"w \n'
    )
    assert [row["password"] for row in rows] == ['a,b;c "d"', "x\ny", ' p"w ']


def test_line_numbers_are_those_of_an_editor():
    content = HEADER + '\nann,a.example,"x\r\ny"\r\n\r\nben,a.example,pw\n'
    assert [row.line for row in read(content).rows] == [3, 6]


def test_a_column_that_may_be_left_out_is_no_value():
    assert values("domain;local_part\na.example;ann") == [
        {"domain": "a.example", "local_part": "ann"}
    ]


@pytest.mark.parametrize("text", ["müller", "straße", "€uro"])
def test_western_letters_are_read_and_said_to_be_a_guess(text):
    table = read((HEADER + f"{text},a.example,pw").encode("cp1252"))
    assert table.rows[0].values["local_part"] == text
    assert table.is_guessed
    assert not read(HEADER + f"{text},a.example,pw").is_guessed


def test_bytes_that_windows_does_not_know_are_latin():
    assert values(HEADER.encode() + b"a\x81\xfc,a.example,pw")[0]["local_part"] == "a\x81ü"


def test_what_stands_in_a_password_does_not_decide_the_delimiter():
    with_header = HEADER + "".join(f"ann{n},a.example,a;b;c\n" for n in range(30))
    assert {row["password"] for row in values(with_header)} == {"a;b;c"}
    bare = "ann,a.example,a;b;c\nben,a.example,pw\n"
    assert [row["password"] for row in values(bare)] == ["a;b;c", "pw"]


def test_without_header_an_ambiguous_line_is_not_guessed_at():
    assert "Begin the file with the line local_part,domain,password" in sentence(
        "a,b.example,c;d;e"
    )


def test_a_first_line_that_fits_nothing_asks_for_a_header():
    assert "does not name the columns" in sentence("name,mail\nann,ann@a.example")


def test_one_known_word_is_no_header():
    assert values("password,a.example,geheim12")[0]["local_part"] == "password"


def test_unknown_doubled_and_missing_columns_are_named():
    assert "“quota”" in sentence("local_part,domain,quota\nann,a.example,5")
    assert "domain twice" in sentence("local_part,domain,domain\nann,a.example,b.example")
    assert "column domain." in sentence("local_part,password\nann,pw")


def test_a_line_with_too_few_or_too_many_values_is_the_only_one_refused():
    rows = read(HEADER + "ann\nben,a.example,a,b\ncid,a.example,pw\n").rows
    assert [row.error.partition(".")[0] for row in rows] == [
        "The line has 1 value instead of 3",
        "The line has 4 values instead of 3",
        "",
    ]
    assert rows[1].values == {}, "a password could stand under another name"


def test_quotes_that_do_not_close_are_told_with_their_line():
    rows = read(HEADER + 'ann,a.example,"a"b\nben,a.example,pw\ncid,a.example,"pw').rows
    assert [bool(row.error) for row in rows] == [True, False, True]
    assert "line 4" in rows[2].error
    assert "line 2" in sentence(HEADER + 'ann,a.example,"pw\nben,a.example,pw\n')


def test_a_table_that_is_too_long_or_empty_is_refused():
    assert "more than 3 lines" in sentence(HEADER + "ann,a.example,pw\n" * 4, max_rows=3)
    assert len(read(HEADER + "ann,a.example,pw\n" * 3, max_rows=3).rows) == 3
    assert "empty" in sentence("")
    assert "empty" in sentence(b"\xef\xbb\xbf \r\n")
    assert "nothing below" in sentence(HEADER)
    assert sentence(",,,\n,,,\n")


ODS = "application/vnd.oasis.opendocument.spreadsheet"


def _zip(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, ODS if name == "mimetype" else "")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (_zip("[Content_Types].xml", "xl/workbook.xml"), "This is an Excel file. Save it as CSV."),
        (_zip("mimetype"), "LibreOffice"),
        (_zip("table.csv.gz"), "ZIP"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "Excel"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\x7fELF\0\0\0", "not a text file"),
        (HEADER.encode() + b"a\0b,a.example,pw", "not a text file"),
        (b"\xff\xfea", "damaged"),
        (b"\xef\xbb\xbf" + HEADER.encode() + b"m\xfcller,a.example,pw", "damaged"),
    ],
)
def test_other_kinds_of_file_are_named(content, words):
    assert words in sentence(content)


def _body(response) -> bytes:
    return b"".join(response.streaming_content)


def test_what_we_write_we_read_back():
    rows = [("ann", "a.example", 'a,"b";c\nd'), ("bärbel", "a.example", "")]
    response = csv_response("neu.csv", COLUMNS, rows)
    content = _body(response)
    assert content.startswith(b"\xef\xbb\xbflocal_part,domain,password\r\n")
    assert [tuple(row.values()) for row in values(content)] == rows
    assert response.headers["Content-Disposition"] == 'attachment; filename="neu.csv"'


@pytest.mark.parametrize(
    "cell", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"]
)
def test_formulas_are_disarmed(cell):
    content = _body(csv_response("a.csv", ["cell", "number"], [(cell, -1)])).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(content, newline="")))[1] == [f"'{cell}", "-1"]


def test_a_secret_file_is_stored_nowhere():
    assert "no-store" in csv_response("a.csv", ["a"], [], is_secret=True)["Cache-Control"]
    assert not csv_response("a.csv", ["a"], []).has_header("Cache-Control")


def test_many_rows_are_written_as_they_come():
    taken = []

    def rows():
        for number in range(2000):
            taken.append(number)
            yield [number]

    response = csv_response("a.csv", ["number"], rows())
    assert next(iter(response.streaming_content))
    assert len(taken) < 2000
