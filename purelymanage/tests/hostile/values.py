"""What is sent: strategies that turn a well-meant request into a hostile one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from purelymanage.tests.hostile.surface import Fields, Target

EVIL = "evil.example"
MARK = "data-hostile"
"""The attribute that an element has only where markup was reflected."""
COMPUTED = "hostile7331"
"""What stands in an answer only where a template was rendered that somebody typed."""
NUMBER = re.compile(r"\d+")
BREAKOUT = f"""'"--></textarea></title></style></script><i {MARK}=1>"""
"""Ends whatever it is written into, and begins an element of its own."""
PAYLOADS = (
    f"<i {MARK}=1>x</i>",
    f'"><i {MARK}=1>',
    f"'><i {MARK}=1>",
    f'" {MARK}="1',
    f"' {MARK}='1",
    f"--><i {MARK}=1>",
    f"</textarea></title></script><i {MARK}=1>",
    f"<svg {MARK} onload=alert(1)>",
    f"&lt;i {MARK}=1&gt;",
    "javascript:alert(1)",
    f"//{EVIL}/",
    f"https://{EVIL}/",
    f"/\\{EVIL}",
    f"http:///{EVIL}",
    '{{ "hostile"|add:"7331" }}',
    "{% now 'Y' %}{% load x %}",
    "%(name)s %s %d {0} {name!r} ${7331}",
    "' OR 1=1; DROP TABLE accounts_user; --",
    "%' ESCAPE '\\",
    "\\",
    "%",
    "_",
    "\x00",
    "a\x00b",
    "a\r\nX-Hostile: 1\r\n\r\nb",
    "\ud800",
    "\udfff\ud800",
    "\u202egnp.exe",
    "\u200b\ufeff",
    "\u0130\u0131ß\ufb01",
    "👩\u200d👩\u200d👧",
    "\U0010ffff",
    "=cmd|' /C calc'!A0",
    "../../../../etc/passwd",
    "${jndi:ldap://127.0.0.1/}",
    "[]",
    "{}",
    "null",
    "true",
    "[" * 2000,
    "٣",
    "²",
    "1e400",
    "-0",
    "NaN",
    "Infinity",
    "1" * 5000,
    "0x10",
    "9" * 30,
    "2147483648",
    "9223372036854775808",
    "-9223372036854775809",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "2026-02-30",
    "2026-11-21T24:61",
    "0000-00-00",
    "-1",
    "",
    " ",
    "a@" + "b" * 300 + ".example",
    "@".join("aaaa"),
    "xn--" + "a" * 60 + ".example",
    "a." * 200,
    "..",
    ".",
)
UPLOADS = (
    b"",
    b"\x00" * 100,
    b"\xff\xfe" + "local_part,domain\nmax,lindenhof.example\n".encode("utf-16-le"),
    b"PK\x03\x04" + b"\x00" * 200,
    b"\x89PNG\r\n\x1a\n",
    b'local_part,domain\n"',
    b"local_part,domain,password\n" + b"a,b,c,d,e,f\n" * 50,
    b"local_part,domain\r\r\n\n,\n",
    f"local_part,domain,password\n<i {MARK}=1>,lindenhof.example,x\n".encode(),
    b"local_part\n" + b"," * 20_000,
    b"local_part,domain\n" + b"x" * 200_000 + b",lindenhof.example\n",
    b"local_part,local_part\nmax,max\n",
    b"local_part,domain\nmax\x00,lindenhof.example\n",
    b"local_part,domain\nm\xfcller,lindenhof.example\n",
)
QUERIES = (
    "",
    "%",
    "%zz=%ff",
    "%00=%00",
    "q=%ff%fe",
    "page=9999999999999999999999",
    "page=-1",
    "page=٣",
    "a[]=1&a[b]=2",
    "=&=&&;",
    "q=" + "a" * 5000,
    "&".join(f"f{number}" for number in range(900)),
    f"next=//{EVIL}/",
    f"next=https:%5c%5c{EVIL}",
    "next=javascript:alert(1)",
    quote(f'"><i {MARK}=1>') + "=1",
)
IN_PATHS = (
    "0",
    "00001",
    "9" * 30,
    "9223372036854775808",
    "-1",
    "1e3",
    "%00",
    "%ff%fe",
    "%",
    "%zz",
    "%0d%0aX-Hostile:1",
    "..%2f..%2f",
    "%E2%80%AE",
    "%d9%a3",
    quote(f'"><i {MARK}=1>', safe=""),
    "%7B%7B7%7D%7D",
)
HEADERS = (
    "HX-Current-URL",
    "HX-Target",
    "HX-Trigger",
    "HX-Prompt",
    "Referer",
    "User-Agent",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Requested-With",
    "Accept",
    "Accept-Language",
    "If-Modified-Since",
    "If-None-Match",
    "Range",
)
NAMES = (f'"><i {MARK}=1>', "a[b][]", "next", "__proto__", "\x00", "field", "page", "sort", "q")
TYPES = ("text/xml", "", "image/png", "a/b; c=d", "x" * 300)
COOKIES = ("theme", "keys", "messages", "sessionid", "django_language")
LONG = st.builds(
    lambda piece, times: piece * times,
    st.sampled_from(["a", "ä", "👾", f"<i {MARK}=1>", "a@", "1", "\n", "a.", ",", "\u0301"]),
    st.sampled_from([300, 2000, 25_000]),
)
NUMBERS = st.one_of(st.integers(), st.floats(), st.integers(min_value=0, max_value=60)).map(str)
DATES = st.one_of(st.dates(), st.datetimes()).map(str)
TEXT = st.text(st.characters(exclude_categories=()), max_size=30)
VALUE = st.one_of(st.sampled_from(PAYLOADS), st.sampled_from(PAYLOADS), LONG, NUMBERS, DATES, TEXT)


@dataclass(frozen=True)
class Request:
    """What goes over the wire, and who sends it."""

    role: str
    method: str
    path: str
    content_type: str = ""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        extra = "".join(f" {key}={value!r}" for key, value in (self.headers | self.cookies).items())
        return (
            f"{self.method} {self.path[:300]} as {self.role}"
            f" {self.content_type} {self.body[:1500]!r}{extra[:400]}"
        )


def breakouts(target: Target, role: str) -> Iterator[Request]:
    """The request with each of its fields broken out of, and with all of them."""
    broken = {name: [BREAKOUT] for name in target.fields if name not in target.files}
    each = [{**target.fields, name: [BREAKOUT]} for name in broken] if len(broken) > 1 else []
    for fields in (broken, *each) if broken else ():
        if target.method == "GET":
            yield Request(role, "GET", f"{target.path}?{encoded(fields)}")
        else:
            form = "application/x-www-form-urlencoded"
            yield Request(role, "POST", target.path, form, encoded(fields).encode())


@st.composite
def requests(draw: st.DrawFn, target: Target, roles: Sequence[str]) -> Request:
    """One of the many ways to spoil this request."""
    role, method, path = draw(st.sampled_from(roles)), target.method, target.path
    if draw(_one_in(8)):
        path = NUMBER.sub(lambda _number: draw(st.sampled_from(IN_PATHS)), path)
    spoilt = draw(spoilt_fields(target.fields))
    headers, cookies = draw(_headers()), draw(_cookies())
    if method == "GET":
        query = draw(st.sampled_from(QUERIES)) if draw(_one_in(4)) else encoded(spoilt)
        return Request(role, "GET", f"{path}?{query}", headers=headers, cookies=cookies)
    if draw(_one_in(6)):
        path = f"{path}?{draw(st.sampled_from(QUERIES))}"
    content_type, body = draw(_body(spoilt, target.files))
    return Request(role, "POST", path, content_type, body, headers, cookies)


@st.composite
def spoilt_fields(draw: st.DrawFn, fields: Fields) -> Fields:
    """Some kept, some replaced, left out or sent twice, and now and then one nobody asked for."""
    spoilt: Fields = {}
    for name, values in sorted(fields.items()):
        how = draw(st.sampled_from(["keep", "keep", "keep", "spoil", "spoil", "drop", "repeat"]))
        if how == "keep":
            spoilt[name] = values
        elif how == "spoil":
            spoilt[name] = [draw(VALUE)]
        elif how == "repeat":
            spoilt[name] = [*values, draw(VALUE), draw(VALUE)]
    if draw(_one_in(5)):
        spoilt[
            draw(st.sampled_from([f'"><i {MARK}=1>', "a[b][]", "next", "__proto__", "\x00"]))
        ] = [draw(VALUE)]
    return spoilt


def encoded(fields: Fields) -> str:
    """As a form or a query sends it; a lone surrogate becomes bytes that are no UTF-8."""
    return "&".join(
        f"{_quoted(name)}={_quoted(value)}" for name, values in fields.items() for value in values
    )


def _quoted(value: Any) -> str:
    return quote(str(value).encode(errors="surrogatepass"), safe="")


def multipart(fields: Fields, files: dict[str, tuple[str, bytes]]) -> bytes:
    """As a form with files sends it."""
    parts = [
        b'Content-Disposition: form-data; name="%s"\r\n\r\n%s'
        % (_raw(name).replace(b'"', b"%22"), _raw(value))
        for name, values in fields.items()
        for value in values
    ]
    parts += [
        b'Content-Disposition: form-data; name="%s"; filename="%s"\r\n'
        b"Content-Type: text/csv\r\n\r\n%s" % (_raw(name), _raw(label), content)
        for name, (label, content) in files.items()
    ]
    return b"".join(b"--hostile\r\n%s\r\n" % part for part in parts) + b"--hostile--\r\n"


def _raw(value: Any) -> bytes:
    return str(value).encode(errors="surrogatepass")


@st.composite
def _body(draw: st.DrawFn, fields: Fields, files: frozenset[str]) -> tuple[str, bytes]:
    kinds = ["form"] * 6 + ["multipart"] * 3 + ["json", "wrong", "cut", "charset", "bytes"]
    kind = draw(st.sampled_from(kinds))
    form = encoded(fields).encode()
    if kind == "multipart" or (files and kind == "form"):
        uploads = {
            name: (draw(st.sampled_from(["a.csv", *PAYLOADS])), draw(st.sampled_from(UPLOADS)))
            for name in sorted(files)
        }
        return "multipart/form-data; boundary=hostile", multipart(fields, uploads)
    return {
        "form": ("application/x-www-form-urlencoded", form),
        "json": ("application/json", json.dumps(fields, default=str).encode()),
        "wrong": (
            draw(st.sampled_from(["text/xml", "", "image/png", "a/b; c=d", "x" * 300])),
            form,
        ),
        "cut": ("multipart/form-data; boundary=hostile", multipart(fields, {})[:-20]),
        "charset": ("application/x-www-form-urlencoded; charset=utf-7", form),
        "bytes": ("application/x-www-form-urlencoded", draw(st.binary(max_size=200))),
    }[kind]


@st.composite
def _headers(draw: st.DrawFn) -> dict[str, str]:
    headers = {"HX-Request": "true"} if draw(_one_in(3)) else {}
    if draw(_one_in(4)):
        headers[draw(st.sampled_from(HEADERS))] = _in_header(draw(VALUE))
    return headers


@st.composite
def _cookies(draw: st.DrawFn) -> dict[str, str]:
    if not draw(_one_in(10)):
        return {}
    return {draw(st.sampled_from(COOKIES)): _in_header(draw(VALUE))}


def _in_header(value: str) -> str:
    """Line breaks and NUL do not get past any web server; the rest arrives as Latin-1."""
    clean = re.sub(r"[\x00-\x1f\x7f]", "", value)[:4000]
    return clean.encode(errors="surrogatepass").decode("latin-1")


def _one_in(number: int) -> st.SearchStrategy[bool]:
    return st.sampled_from([True] + [False] * (number - 1))
