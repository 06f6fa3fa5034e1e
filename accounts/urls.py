from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("setup/", views.setup, name="setup"),
    path("settings/", views.account, name="settings"),
    path("settings/people/", views.people, name="people"),
    path("settings/people/new/", views.person_add, name="person_add"),
    path("settings/people/<int:pk>/", views.person, name="person"),
    path("settings/people/<int:pk>/remove/", views.person_remove, name="person_remove"),
    path("settings/people/<int:pk>/restore/", views.person_restore, name="person_restore"),
    path("settings/purelymail/", views.purelymail, name="purelymail"),
    path("settings/purelymail/test/", views.purelymail_test, name="purelymail_test"),
    path("settings/about/", views.about_panel, name="about"),
]
