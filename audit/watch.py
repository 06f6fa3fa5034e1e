"""The daily look at the whole log: its result is kept, and those who should know are told.

Mail is the business of an app above, which registers how (imports point down).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from django.utils import timezone

from audit.actions import Action
from audit.models import HEAD, Cut, Verification
from audit.services import record
from audit.verification import Anchor, Report, Verdict, verify

MAX_SENTENCE = 1000


class Post(Protocol):
    """How news of the log leave the panel."""

    def alarm(self, verification: Verification) -> bool:
        """Tell every admin that the log is not as it was written; whether somebody got it."""

    def send_head(self, verification: Verification, report: Report) -> None:
        """Send the head to those who keep it."""


@dataclass
class _Registered:
    post: Post | None = None


_registered = _Registered()


def register_post(post: Post) -> None:
    """Called in the `ready` of the app that sends mail."""
    _registered.post = post


def last_verification() -> Verification | None:
    """How the last look ended, for pages; None before the first one."""
    return Verification.objects.filter(pk=HEAD).first()


def _own_verification() -> Verification | None:
    """The same, unless somebody else wrote it."""
    last = last_verification()
    return last if last and last.is_ours else None


def kept_anchors() -> list[Anchor]:
    """The head of the last look that found all well, unless a cut has passed it since."""
    last = _own_verification()
    if last is None or not last.head:
        return []
    anchor = as_anchor(last.head)
    return [anchor] if anchor.position > last_cut() else []


def as_anchor(head: str) -> Anchor:
    """`12:ab…` → its position and its code."""
    position, _colon, digest = head.partition(":")
    return Anchor(int(position), digest)


def last_cut() -> int:
    """Up to which position rows were cut off; 0 if none ever were."""
    cut = Cut.objects.order_by("-position").first()
    return cut.position if cut else 0


def look(*, mails_head: bool = False) -> Verification:
    """Check everything, keep the result, and tell every admin what is wrong, once.

    The head goes by mail once a day, so that whoever keeps it can tell when one is missing, and
    nobody can bury it in others by asking for checks.
    """
    before = _own_verification()
    report = verify(kept_anchors())
    verification = _keep(report, before)
    _raise_alarm(verification)
    if mails_head and _registered.post:
        _registered.post.send_head(verification, report)
    if verification.verdict == Verdict.TAMPERED and not _is_same(before, verification):
        record(Action.AUDIT_BROKEN, target=verification.sentence)
    return verification


def _keep(report: Report, before: Verification | None) -> Verification:
    finding = report.finding
    verification = Verification(
        at=timezone.now(),
        verdict=report.verdict,
        entries=report.entries,
        kind=finding.kind if finding else "",
        position=finding.position if finding else None,
        sentence=finding.sentence[:MAX_SENTENCE] if finding else "",
        head=report.head if finding is None else (before.head if before else ""),
    )
    verification.is_told = finding is None or (
        before is not None and before.is_told and _is_same(before, verification)
    )
    verification.keep()
    return verification


def _is_same(before: Verification | None, now: Verification) -> bool:
    return before is not None and (before.kind, before.position) == (now.kind, now.position)


def _raise_alarm(verification: Verification) -> None:
    """Until a mail server took it. It comes before all that writes to a log that may be broken."""
    post = _registered.post
    if post and not verification.is_told and post.alarm(verification):
        verification.is_told = True
        verification.keep()
