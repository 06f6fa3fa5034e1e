"""Request bodies as PurelyMail takes them: known fields checked, unknown ones ignored."""

from __future__ import annotations

from typing import Any

Result = dict[str, Any]


class ApiError(Exception):
    """An answer with `type: error`, which PurelyMail sends with HTTP 200."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Body:
    """The JSON object of one request. Codes and messages of these refusals are our guess."""

    def __init__(self, values: object) -> None:
        if not isinstance(values, dict):
            raise ApiError("invalidRequest", "The request body must be a JSON object")
        self._values: dict[str, Any] = values

    def text(self, name: str) -> str:
        """A required string."""
        value = self.optional_text(name)
        if value is None:
            raise ApiError("invalidRequest", f"Missing field: {name}")
        return value

    def optional_text(self, name: str) -> str | None:
        """A string or nothing."""
        value = self._values.get(name)
        if name in self._values and not isinstance(value, str):
            raise _wrong_type(name)
        return value

    def flag(self, name: str) -> bool:
        """A required boolean."""
        value = self.optional_flag(name)
        if value is None:
            raise ApiError("invalidRequest", f"Missing field: {name}")
        return value

    def optional_flag(self, name: str) -> bool | None:
        """A boolean or nothing."""
        value = self._values.get(name)
        if name in self._values and not isinstance(value, bool):
            raise _wrong_type(name)
        return value

    def number(self, name: str) -> int:
        """A required whole number."""
        value = self._values.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise _wrong_type(name)
        return value

    def texts(self, name: str) -> list[str]:
        """A required list of strings."""
        value = self._values.get(name)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise _wrong_type(name)
        return value


def _wrong_type(name: str) -> ApiError:
    return ApiError("invalidRequest", f"Missing field or wrong type: {name}")
