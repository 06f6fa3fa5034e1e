"""What Python, OpenSSL and Perl say of a broken connection, in words for people."""

from __future__ import annotations

import re

_REASONS = [
    (re.compile(pattern, re.IGNORECASE), words)
    for pattern, words in (
        (r"certificate verify failed: (?P<why>.+?)(?: \(_ssl\.c:\d+\))?\.?$", "{why}"),
        (r"Connection refused\.?$", "it refused the connection"),
        (r"(?:^|\] )Network is unreachable|No route to host", "there is no way to it from here"),
        (
            r"(?:Name|nodename nor servname).* known|name resolution|No address associated",
            "its name cannot be looked up",
        ),
        (
            r"WRONG_VERSION_NUMBER|wrong version number|record layer failure",
            "it answers, but not with TLS",
        ),
        (r"does not offer STARTTLS", "it does not offer STARTTLS"),
        (r"^off limits", "it is on this machine or its own link, where the panel does not connect"),
        (r"^not on a private network", "it is not on a private network and without encryption"),
        (r"^the server does not answer as", "it does not answer as an IMAP server does"),
        (r"^LOGINDISABLED", "it takes no password without encryption"),
        (r"timed out$|^timeout waiting", "it did not answer in time"),
        (r"^no answer about ", "no name server answers for it"),
        (
            r"^socket |\bEOF\b|_EOF_|\] (?:Connection reset|Broken pipe)|^not connected$",
            "it closed the connection",
        ),
        (r"^the server did not hand it out$", "it did not hand them out"),
        (r"^the server no longer has it$", "it has not got them any more"),
        (r"^connection lost at each of", "the connection was lost each time"),
    )
]
_ANSWER = re.compile(r"(?:NO|BAD|BYE) ")
_WRAPPING = re.compile(r"^\[(?:Errno -?\d+|SSL[^]]*)\] |socket error: | \(_ssl\.c:\d+\)")


def reason_of(text: str) -> str:
    """The reason in plain words; empty when it was the server who spoke."""
    if _ANSWER.match(text):
        return ""
    for pattern, words in _REASONS:
        match = pattern.search(text)
        if match:
            return words.format(**match.groupdict())
    plain = _WRAPPING.sub("", text)
    return "" if plain == text else plain


def without_wrapping(text: str) -> str:
    """A trouble for the log: the reason in plain words, or else what the server said."""
    return reason_of(text) or text


def remark(text: str) -> str:
    """The same as a sentence; empty when it was the server who spoke."""
    reason = reason_of(text).rstrip(". ")
    return f"{reason[:1].upper()}{reason[1:]}." if reason else ""
