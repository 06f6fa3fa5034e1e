from django.urls import path

from accounts.views import (
    account,
    invitations,
    notifications,
    panel,
    people,
    policy,
    sessions,
    setup,
)

app_name = "accounts"
urlpatterns = [
    path("setup/", setup.setup, name="setup"),
    path("invite/<str:token>/", invitations.invitation, name="invitation"),
    path("settings/", account.account, name="settings"),
    path("settings/people/", people.people, name="people"),
    path("settings/people/new/", people.person_invite, name="person_invite"),
    path(
        "settings/people/invitations/<int:pk>/send/",
        invitations.invitation_send,
        name="invitation_send",
    ),
    path(
        "settings/people/invitations/<int:pk>/revoke/",
        invitations.invitation_revoke,
        name="invitation_revoke",
    ),
    path("settings/people/<int:pk>/", people.person, name="person"),
    path("settings/people/<int:pk>/remove/", people.person_remove, name="person_remove"),
    path("settings/people/<int:pk>/restore/", people.person_restore, name="person_restore"),
    path("settings/people/<int:pk>/second-factor/reset/", policy.factor_reset, name="factor_reset"),
    path("settings/security/policy/", policy.factor_policy, name="factor_policy"),
    path(
        "settings/people/<int:pk>/sessions/end/",
        sessions.person_sessions_end,
        name="person_sessions_end",
    ),
    path("settings/sessions/", sessions.sessions, name="sessions"),
    path("settings/sessions/end/", sessions.sessions_end, name="sessions_end"),
    path("settings/sessions/<int:pk>/end/", sessions.session_end, name="session_end"),
    path("settings/purelymail/", panel.purelymail, name="purelymail"),
    path("settings/purelymail/test/", panel.purelymail_test, name="purelymail_test"),
    path("settings/notifications/", notifications.notifications, name="notifications"),
    path(
        "settings/notifications/test/",
        notifications.notifications_test,
        name="notifications_test",
    ),
    path("settings/about/", panel.about_panel, name="about"),
]
