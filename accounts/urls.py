from django.urls import path

from accounts.views import account, panel, people, setup

app_name = "accounts"
urlpatterns = [
    path("setup/", setup.setup, name="setup"),
    path("settings/", account.account, name="settings"),
    path("settings/people/", people.people, name="people"),
    path("settings/people/new/", people.person_add, name="person_add"),
    path("settings/people/<int:pk>/", people.person, name="person"),
    path("settings/people/<int:pk>/remove/", people.person_remove, name="person_remove"),
    path("settings/people/<int:pk>/restore/", people.person_restore, name="person_restore"),
    path("settings/purelymail/", panel.purelymail, name="purelymail"),
    path("settings/purelymail/test/", panel.purelymail_test, name="purelymail_test"),
    path("settings/about/", panel.about_panel, name="about"),
]
