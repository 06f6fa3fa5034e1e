from django.urls import include, path

from mailboxes import views

app_name = "mailboxes"
urlpatterns = [
    path("", views.mailbox_list, name="list"),
    path("export/", views.mailbox_export, name="export"),
    path("export/selected/", views.mailbox_export_selected, name="export_selected"),
    path("batches/", include("mailboxes.batches.urls")),
    path("new/", views.mailbox_add, name="add"),
    path("new/outlook/", views.address_outlook, name="outlook"),
    path("<int:pk>/", views.mailbox_detail, name="detail"),
    path("<int:pk>/password/", views.mailbox_password_reset, name="password_reset"),
    path("<int:pk>/settings/", views.settings_read, name="settings"),
    path("<int:pk>/settings/change/", views.setting_change, name="setting_change"),
    path("<int:pk>/recovery/new/", views.recovery_add, name="recovery_add"),
    path("<int:pk>/recovery/edit/", views.recovery_edit, name="recovery_edit"),
    path("<int:pk>/recovery/remove/", views.recovery_remove, name="recovery_remove"),
    path("<int:pk>/app-passwords/new/", views.app_password_add, name="app_password_add"),
    path("<int:pk>/app-passwords/revoke/", views.app_password_revoke, name="app_password_revoke"),
    path("<int:pk>/rename/", views.mailbox_rename, name="rename"),
    path("<int:pk>/restore/", views.mailbox_restore, name="restore"),
    path("<int:pk>/delete/", views.mailbox_delete, name="delete"),
]
