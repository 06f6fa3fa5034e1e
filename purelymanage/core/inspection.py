"""The base of every page in Django's admin: it shows and changes nothing.

Encrypted fields are not editable and so never appear; name other secrets in `exclude`. What is not
shown cannot be asked for either: addresses filter by what stands in `list_filter`, and no more.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import DataError, transaction
from django.http import HttpRequest

COMPARISONS = ("", "exact", "isnull", "in")


class InspectionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    """One table to look at."""

    list_per_page = 50
    show_full_result_count = False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Django lets addresses ask for any column, `?password__startswith=a`: a way to guess."""
        field, _separator, comparison = lookup.partition("__")
        return field in self.list_filter and comparison in COMPARISONS

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """None for a number no column can hold: Django compares it and has the database refuse."""
        try:
            with transaction.atomic():
                return super().get_object(request, object_id, from_field)
        except (OverflowError, DataError):
            return None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
