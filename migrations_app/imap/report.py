"""What a login test is asked, and what it tells: step by step, without the password."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db import models
from django.utils.translation import gettext_lazy as _


class Step(models.TextChoices):
    """The steps of signing in, in their order."""

    DNS = "dns", _("DNS")
    CONNECT = "connect", _("Connect")
    TLS = "tls", _("TLS")
    CERTIFICATE = "certificate", _("Certificate")
    LOGIN = "login", _("Login")


@dataclass(frozen=True)
class Target:
    """Where to sign in and as whom."""

    host: str
    port: int
    security: str
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class StepResult:
    """How one step went: `ok` is None where it was not reached or not needed."""

    step: Step
    ok: bool | None
    sentence: str


@dataclass(frozen=True)
class Report:
    """How a login went, step by step."""

    host: str
    port: int
    steps: tuple[StepResult, ...]

    @property
    def failed(self) -> StepResult | None:
        """The step that failed; after it no other was tried."""
        return next((result for result in self.steps if result.ok is False), None)

    @property
    def ok(self) -> bool:
        return self.failed is None


class StepError(Exception):
    """A step failed; the sentence says what happened and what to do."""

    def __init__(self, step: Step, sentence: str) -> None:
        super().__init__(sentence)
        self.step = step
        self.sentence = sentence


def quoted(text: str) -> str:
    """As LOGIN writes a name or password."""
    return '"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"'))
