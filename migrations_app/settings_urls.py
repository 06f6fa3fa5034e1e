"""The settings tab of migrations, at /settings/migrations/."""

from django.urls import path

from migrations_app.views import limits

app_name = "migration_settings"
urlpatterns = [path("", limits.limits_edit, name="limits")]
