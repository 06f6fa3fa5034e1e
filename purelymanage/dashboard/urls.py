from django.urls import path

from purelymanage.dashboard import health, views

app_name = "dashboard"
urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
