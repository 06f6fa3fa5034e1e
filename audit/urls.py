from django.urls import path

from audit import views

app_name = "audit"
urlpatterns = [
    path("", views.audit_list, name="list"),
    path("<int:pk>/", views.audit_entry, name="entry"),
    path("export/csv/", views.audit_csv, name="csv"),
    path("export/json/", views.audit_json, name="json"),
    path("chain/", views.chain, name="chain"),
    path("chain/check/", views.chain_check, name="check"),
]
