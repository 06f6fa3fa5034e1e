"""The two passwords of a run as files that only the engine can read, if possible on no disk."""

from __future__ import annotations

import os
from pathlib import Path


class Passfile:
    """One password as a file of one line: in memory (memfd), else 0600 in a private directory."""

    def __init__(self, password: str, *, directory: Path, name: str) -> None:
        self.fd: int | None = None
        self._path: Path | None = None
        content = password.encode(errors="surrogateescape") + b"\n"
        try:
            self.fd = os.memfd_create(name)
        except (AttributeError, OSError):
            self._path = directory / name
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(fd, "wb") as file:  # noqa: PTH123  a descriptor, not a path
                file.write(content)
            return
        os.fchmod(self.fd, 0o600)
        os.write(self.fd, content)

    @property
    def path(self) -> str:
        """The name under which the engine opens it."""
        return str(self._path) if self._path else f"/dev/fd/{self.fd}"

    def erase(self) -> None:
        """Leave nothing, also in the engine's copy of the descriptor. Harmless when repeated."""
        if self._path:
            self._path.unlink(missing_ok=True)
        elif self.fd is not None:
            os.ftruncate(self.fd, 0)
            os.close(self.fd)
            self.fd = None
