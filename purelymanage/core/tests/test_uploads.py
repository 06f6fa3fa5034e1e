"""What may be sent at once, and what somebody is told who sends more or something else."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.handlers.wsgi import WSGIRequest
from django.test import Client, RequestFactory

from purelymanage import settings as real_settings
from purelymanage.core.uploads import BodyLimitMiddleware

pytestmark = pytest.mark.django_db

UPLOAD = "/mailboxes/batches/new/"
HEADER = b"local_part,domain,password\n"


def sent(client: Client, content: bytes, name: str = "list.csv"):
    return client.post(UPLOAD, {"file": SimpleUploadedFile(name, content)})


def zipped(content: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("list.csv", content)
    return archive.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (HEADER + b"a" * 3_000_000, "more than 2 MB"),
        (HEADER + b"a,b.example,\n" * 140_000, "more than 10,000 lines"),
        (b"\n" * 100_000, "The file is empty"),
        (HEADER + b"\n" * 1_000_000, "nothing below the first line"),
        (zipped(HEADER * 1000), "ZIP archive"),
        (HEADER + b"a\0b,b.example,\n", "not a text file"),
        ("local_part,domain\na,b.example\n".encode("utf-16-le"), "not a text file"),
        (b"\xff\xfe" + b"\x00\xd8\x00\x00", "damaged"),
        (HEADER + b"a,b.example,%s\n" % (b"x" * 1_900_000), "Line 2 has a value of more than"),
    ],
    ids=[
        "3 MB",
        "140,000 rows",
        "blank",
        "1,000,000 blank rows",
        "zip",
        "NUL",
        "UTF-16",
        "broken UTF-16",
        "one cell",
    ],
)
def test_a_file_that_is_no_table_is_told_so_beside_its_field(admin_client, content, says):
    response = sent(admin_client, content)
    assert response.status_code == 422
    assert says in response.content.decode()


def test_utf16_with_its_mark_is_read(admin_client):
    content = "local_part,domain\na,b.example\n".encode("utf-16")
    assert sent(admin_client, content).status_code == 302


def test_pasted_lines_have_the_same_limit(admin_client):
    response = admin_client.post(UPLOAD, {"pasted": "é" * 1_100_000})
    assert response.status_code == 422
    assert "more than 2 MB" in response.content.decode()


def announced(length: int, body: bytes = b"") -> dict[str, object]:
    return {"CONTENT_LENGTH": str(length), "wsgi.input": io.BytesIO(body)}


class Unread(io.RawIOBase):
    """A body that must not be touched."""

    def read(self, *_size: int) -> bytes:
        raise AssertionError("the body was read")


def test_a_hundred_megabytes_are_refused_before_they_are_read(admin_client):
    response = admin_client.generic(
        "POST", UPLOAD, **{"CONTENT_LENGTH": str(100 * 1024**2), "wsgi.input": Unread()}
    )
    assert response.status_code == 413
    assert "More than 5 MB cannot be sent at once" in response.content.decode()


def test_htmx_is_told_so_in_a_toast(admin_client):
    response = admin_client.generic(
        "POST",
        UPLOAD,
        headers={"HX-Request": "true"},
        **{"CONTENT_LENGTH": str(100 * 1024**2), "wsgi.input": Unread()},
    )
    assert (response.status_code, response["HX-Reswap"]) == (413, "none")
    (toast,) = json.loads(response["HX-Trigger"])["toasts"]["toasts"]
    assert toast["text"].startswith("More than 5 MB")


def test_a_body_without_a_length_is_read_as_empty():
    """So is one in chunks, by the server's rules: there is no form in it, and no token."""
    environ = RequestFactory(enforce_csrf_checks=True)._base_environ(
        REQUEST_METHOD="POST", PATH_INFO=UPLOAD, CONTENT_TYPE="application/x-www-form-urlencoded"
    )
    environ.pop("CONTENT_LENGTH", None)
    environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    environ["wsgi.input"] = Unread()
    request = WSGIRequest(environ)
    assert dict(request.POST) == {}


@pytest.mark.parametrize("length", ["", "-1", "abc", "٣", "5242880"])
def test_a_length_that_makes_no_sense_is_none(rf, length):
    request = rf.post("/", CONTENT_LENGTH=length)
    assert BodyLimitMiddleware(lambda _request: "through")(request) == "through"


def test_a_thousand_fields_and_no_more(admin_client):
    admin_client.raise_request_exception = False
    many = {"selected": [str(number) for number in range(1001)], "do": "delete"}
    response = admin_client.post("/mailboxes/batches/select/", many)
    assert response.status_code == 400


def test_uploads_never_touch_the_disk(admin_client, monkeypatch):
    def no_files(*_args, **_kwargs):
        raise AssertionError("a list with passwords was written to a file")

    monkeypatch.setattr("django.core.files.uploadedfile.tempfile.NamedTemporaryFile", no_files)
    assert sent(admin_client, HEADER + b"a" * 4_000_000).status_code == 422
    assert real_settings.FILE_UPLOAD_MAX_MEMORY_SIZE >= real_settings.MAX_BODY


def test_memory_is_a_small_multiple_of_what_was_sent(admin_client):
    sent(admin_client, HEADER)  # what is loaded once
    tracemalloc.start()
    try:
        sent(admin_client, HEADER + b"a,b.example,\n" * 140_000)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 60 * 1024**2
