from django.urls import path

from routing import views

app_name = "routing"
urlpatterns = [
    path("", views.rule_list, name="list"),
    path("new/", views.rule_add, name="add"),
    path("preview/", views.rule_preview, name="preview"),
    path("targets/", views.target_suggestions, name="suggestions"),
    path("trace/", views.address_trace, name="trace"),
    path("<int:pk>/edit/", views.rule_edit, name="edit"),
    path("<int:pk>/delete/", views.rule_delete, name="delete"),
]
