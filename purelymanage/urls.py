"""The map of the site: includes only."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("purelymanage.dashboard.urls")),
    path("", include("accounts.urls")),
    path("settings/security/", include("accounts.security_urls")),
    path("accounts/", include("accounts.entrance.urls")),
    path("mailboxes/", include("mailboxes.urls")),
    path("domains/", include("domains.urls")),
    path("routing/", include("routing.urls")),
    path("deletions/", include("purelymanage.deletions.urls")),
    path("migrations/", include("migrations_app.urls")),
    path("settings/audit/", include("audit.urls")),
    path("settings/migrations/", include("migrations_app.settings_urls")),
    path("demo/", include("purelymanage.demo.urls")),
    path("", include("purelymanage.ui.urls")),
    path("admin/", admin.site.urls),
]
