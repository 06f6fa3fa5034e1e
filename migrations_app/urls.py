from django.urls import URLPattern

app_name = "migrations"
urlpatterns: list[URLPattern] = []
