"""Django's admin as a window on raw data: for owners, and without a single button that changes.

It shows everybody's data at once, so whoever opens it has just confirmed who they are. That goes on
record; the single looks do not: they show nothing that the owner's own pages would not.
"""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from accounts.sessions.reauthentication import reauthentication_required
from purelymanage.core.inspection import InspectionAdmin
from purelymanage.core.permissions import owner_required
from purelymanage.core.roles import Role, has_role


class InspectionSite(AdminSite):
    """Shows models whose page is an `InspectionAdmin`; whatever packages register stays out."""

    site_header = _("PurelyManage: raw data")
    site_title = _("Raw data")
    index_title = _("Tables")
    enable_nav_sidebar = False

    def register(
        self, model_or_iterable: Any, admin_class: type[Any] | None = None, **options: Any
    ) -> None:
        if admin_class is not None and issubclass(admin_class, InspectionAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        return has_role(request.user, Role.OWNER)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002  overrides
        is_way_out = view == self.logout
        return super().admin_view(
            view if is_way_out else reauthentication_required(view), cacheable
        )

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponseBase:  # type: ignore[override]  # ours redirects
        """Signing in happens on the one sign-in page; somebody else's role is no key."""
        return owner_required(lambda request: redirect("admin:index"))(request)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponseBase:  # type: ignore[override]  # ours redirects
        return redirect("account_change_password")
