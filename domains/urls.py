from django.urls import path

from domains import views

app_name = "domains"
urlpatterns = [
    path("", views.domain_list, name="list"),
    path("<int:pk>/", views.domain_detail, name="detail"),
    path("copy/<slug:kind>/", views.copy_note, name="copy_note"),
    path("copy/<slug:kind>/refresh/", views.copy_refresh, name="copy_refresh"),
]
