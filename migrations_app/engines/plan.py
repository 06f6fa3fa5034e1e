"""What an engine is asked to do: two ends and an allow-list of options. No passwords."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

SecurityName = Literal["tls", "starttls", "none"]


@dataclass(frozen=True)
class Endpoint:
    """One side: where to connect and as whom."""

    host: str
    port: int
    security: SecurityName
    user: str


@dataclass(frozen=True)
class Options:
    """What may be chosen per job. Nothing here deletes, and nothing is passed on raw."""

    map_special_folders: bool = True
    """Sent Items → Sent and the like, by SPECIAL-USE and known names."""
    include: tuple[str, ...] = ()
    """Source folders to copy, by readable name, with what is below them; empty means all."""
    exclude: tuple[str, ...] = ()
    """Source folders to leave out, by readable name, with what is below them."""
    max_age_days: int | None = None
    max_message_bytes: int | None = None
    bytes_per_second: int | None = None
    subscribe: bool = True
    timeout_seconds: int = 120
    """How long a silent server is waited for."""

    def as_json(self) -> dict[str, Any]:
        """For `MigrationJob.options`."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Options:
        """The reverse of `as_json`; unknown keys are ignored, missing ones are defaults."""
        known = {item.name for item in fields(cls)}
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in data.items()
            if name in known
        }
        return cls(**values)


@dataclass(frozen=True)
class Plan:
    """One run of an engine."""

    source: Endpoint
    destination: Endpoint
    dry_run: bool
    options: Options = field(default_factory=Options)
    most_bytes: int | None = None
    """After so many bytes it ends with 118, to go on another day."""
