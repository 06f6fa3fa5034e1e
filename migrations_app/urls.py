"""Migrations: jobs, what can happen to them, and the servers they go between."""

from django.urls import path

from migrations_app.views import (
    actions,
    batch_new,
    batches,
    jobs,
    live,
    servers,
    temporary_passwords,
)

app_name = "migrations"
urlpatterns = [
    path("", jobs.job_list, name="list"),
    path("live/", live.job_list_live, name="list_live"),
    path("new/", jobs.job_add, name="add"),
    path("selected/", actions.jobs_selected, name="selected"),
    path("<int:pk>/", jobs.job_detail, name="detail"),
    path("<int:pk>/live/", live.job_live, name="live"),
    path("<int:pk>/edit/", jobs.job_edit, name="edit"),
    path("<int:pk>/log/", jobs.job_log, name="log"),
    path("<int:pk>/cancel/", actions.job_cancel, name="cancel"),
    path("<int:pk>/real/", actions.job_real, name="real"),
    path("<int:pk>/rerun/", actions.job_rerun, name="rerun"),
    path("<int:pk>/delete/", actions.job_delete, name="delete"),
    path("<int:pk>/erase/", actions.job_erase, name="erase"),
    path("batches/", batches.batch_list, name="batches"),
    path("batches/new/", batch_new.batch_new, name="batch_new"),
    path("batches/template.csv", batch_new.batch_template, name="batch_template"),
    path("batches/<int:pk>/", batches.batch_detail, name="batch"),
    path("batches/<int:pk>/live/", live.batch_live, name="batch_live"),
    path("batches/<int:pk>/real/", batches.batch_real, name="batch_real"),
    path("batches/<int:pk>/retry/", batches.batch_retry, name="batch_retry"),
    path("batches/<int:pk>/pause/", batches.batch_pause, name="batch_pause"),
    path("batches/<int:pk>/resume/", batches.batch_resume, name="batch_resume"),
    path("batches/<int:pk>/start/", batches.batch_start, name="batch_start"),
    path("batches/<int:pk>/cancel/", batches.batch_cancel, name="batch_cancel"),
    path("batches/<int:pk>/delete/", batches.batch_delete, name="batch_delete"),
    path("works/<int:pk>/stop/", actions.work_stop, name="work_stop"),
    path("batches/<int:pk>/preview/", batch_new.batch_preview, name="batch_preview"),
    path("batches/<int:pk>/lines/", batch_new.batch_lines, name="batch_lines"),
    path("batches/<int:pk>/import/", batch_new.batch_import, name="batch_import"),
    path("batches/<int:pk>/discard/", batch_new.batch_discard, name="batch_discard"),
    path("passwords/", temporary_passwords.temporary_passwords, name="temporary_passwords"),
    path(
        "passwords/<int:pk>/settle/",
        temporary_passwords.temporary_password_settle,
        name="temporary_password_settle",
    ),
    path("servers/", servers.server_list, name="servers"),
    path("servers/new/", servers.server_add, name="server_add"),
    path("servers/<int:pk>/", servers.server_edit, name="server_edit"),
    path("servers/<int:pk>/test/", servers.server_test, name="server_test"),
    path("servers/<int:pk>/delete/", servers.server_delete, name="server_delete"),
]
