from django.urls import path

from domains import views

app_name = "domains"
urlpatterns = [
    path("", views.domain_list, name="list"),
    path("new/", views.domain_add, name="add"),
    path("new/code/", views.ownership_read, name="ownership_read"),
    path("recheck/", views.recheck_failing, name="recheck_failing"),
    path("<int:pk>/", views.domain_detail, name="detail"),
    path("<int:pk>/settings/", views.domain_settings, name="settings"),
    path("<int:pk>/history/", views.domain_history, name="history"),
    path("<int:pk>/zone/", views.domain_zone, name="zone"),
    path("<int:pk>/recheck/", views.domain_recheck, name="recheck"),
    path("<int:pk>/records/<slug:key>/accept/", views.deviation, name="deviation"),
    path(
        "<int:pk>/records/<slug:key>/withdraw/",
        views.deviation_withdraw,
        name="deviation_withdraw",
    ),
    path("<int:pk>/delete/", views.domain_delete, name="delete"),
    path("copy/<slug:kind>/", views.copy_note, name="copy_note"),
    path("copy/<slug:kind>/refresh/", views.copy_refresh, name="copy_refresh"),
]
