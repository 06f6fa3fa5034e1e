"""The settings tab of migrations, at /settings/migrations/."""

from django.urls import path

from migrations_app.views import limits

app_name = "migration_settings"
urlpatterns = [
    path("", limits.limits_edit, name="limits"),
    path("hosts/new/", limits.host_add, name="host_add"),
    path("hosts/<int:pk>/", limits.host_edit, name="host_edit"),
    path("hosts/<int:pk>/free/", limits.host_free, name="host_free"),
    path("hosts/<int:pk>/open/", limits.host_open, name="host_open"),
    path("workers/<int:pk>/drain/", limits.worker_drain, name="worker_drain"),
    path("workers/<int:pk>/resume/", limits.worker_resume, name="worker_resume"),
]
