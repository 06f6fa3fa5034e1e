"""The doors by which workers come in."""

from __future__ import annotations


def verify_and_mail_head() -> None:
    """Check the whole chain and mail its head."""
