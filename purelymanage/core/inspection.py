"""The base of every page in Django's admin: it shows and changes nothing.

Encrypted fields are not editable and so never appear; name other secrets in `exclude`.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest


class InspectionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    """One table to look at."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
