from django.urls import path

from mailboxes.batches import views

app_name = "batches"
urlpatterns = [
    path("", views.batch_list, name="list"),
    path("new/", views.batch_upload, name="upload"),
    path("template.csv", views.batch_template, name="template"),
    path("select/", views.batch_select, name="select"),
    path("<int:pk>/", views.batch_detail, name="detail"),
    path("<int:pk>/live/", views.batch_live, name="live"),
    path("<int:pk>/report/", views.batch_report, name="report"),
    path("<int:pk>/start/", views.batch_start, name="start"),
    path("<int:pk>/continue/", views.batch_continue, name="continue"),
    path("<int:pk>/cancel/", views.batch_cancel, name="cancel"),
    path("<int:pk>/passwords/", views.batch_passwords, name="passwords"),
]
