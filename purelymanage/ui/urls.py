from django.urls import path

from purelymanage.ui import views

app_name = "ui"
urlpatterns = [
    path("styleguide/", views.styleguide, name="styleguide"),
    path("palette/", views.palette, name="palette"),
    path("theme/", views.theme_set, name="theme"),
    path("keys/", views.keys_set, name="keys"),
    path("password-strength/", views.password_strength, name="password_strength"),
]
