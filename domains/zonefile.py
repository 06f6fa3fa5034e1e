"""Records as a snippet of a BIND zone file, to paste or to hand to whoever keeps the zone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domains import spf
from domains.expected import Expected, expected_records
from domains.models import RecordKey

TTL = 3600
MAX_STRING = 255

PURPOSES = {
    RecordKey.MX: "Mail comes in here. Remove other MX records of this name.",
    RecordKey.SPF: "PurelyMail may send in this domain's name.",
    RecordKey.OWNERSHIP: "Proves to PurelyMail that the domain is yours.",
    RecordKey.DKIM1: "Signatures of outgoing mail; the keys are rotated, all three are needed.",
    RecordKey.DKIM2: "Signatures of outgoing mail, second key.",
    RecordKey.DKIM3: "Signatures of outgoing mail, third key.",
    RecordKey.DMARC: "What receivers do with forged mail. No other record may share this name.",
}
MERGE = (
    "A domain has one SPF record. If there is one already, add include:_spf.purelymail.com to it",
    "instead of adding this: with two of them receivers ignore both.",
)
MERGED = (
    "This replaces the SPF record that stands there now. Do not add it beside that one: with",
    "two of them receivers ignore both.",
)


def zone_file(
    domain: str,
    keys: Iterable[RecordKey | str],
    *,
    ownership_code: str,
    spf_found: Sequence[str] = (),
) -> str:
    """The records of these keys, as they should be.

    With the SPF records found so far in `spf_found`, the one here is theirs with ours merged in.
    """
    wanted = set(keys)
    lines = [f"; PurelyMail records for {domain}", f"$ORIGIN {domain}.", f"$TTL {TTL}"]
    for record in expected_records(ownership_code):
        if record.key in wanted:
            lines += ["", *_lines(record, spf_found)]
    return "\n".join(lines) + "\n"


def _lines(record: Expected, spf_found: Sequence[str]) -> list[str]:
    value, notes = record.value, [PURPOSES[record.key]]
    if record.key == RecordKey.SPF:
        value = spf.merged(spf_found) or value
        notes += MERGE if value == record.value else MERGED
    data = _quoted(value) if record.type == "TXT" else f"{value}."
    return [*(f"; {note}" for note in notes), f"{record.name:<23} IN {record.type:<5} {data}"]


def _quoted(text: str) -> str:
    """Strings of at most 255 bytes each, as zone files take them."""
    content = text.encode()
    parts = [content[start : start + MAX_STRING] for start in range(0, len(content), MAX_STRING)]
    return " ".join(f'"{"".join(map(_escaped, part))}"' for part in parts)


def _escaped(byte: int) -> str:
    if byte in b'"\\':
        return f"\\{chr(byte)}"
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03}"
