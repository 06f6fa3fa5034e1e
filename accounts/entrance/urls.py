"""The pages of django-allauth that we use, under its own names; the rest of it has no address."""

from allauth.account import views
from allauth.mfa.webauthn import views as passkeys
from django.urls import path, re_path

from accounts.entrance.pages import entrance, typed_address
from accounts.views import confirming, passwords, security
from purelymanage.core.permissions import viewer_required

urlpatterns = [
    path("login/", entrance(views.login, "sign_in"), name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path(
        "reauthenticate/",
        viewer_required(entrance(confirming.by_password, "confirm_identity")),
        name="account_reauthenticate",
    ),
    path(
        "password/change/",
        viewer_required(entrance(passwords.password_change, "confirm_identity")),
        name="account_change_password",
    ),
    path(
        "password/reset/",
        entrance(views.password_reset, "reset_mail", key=typed_address),
        name="account_reset_password",
    ),
    path("password/reset/done/", views.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        entrance(passwords.password_reset, "new_password"),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    # Second factors
    path("2fa/authenticate/", security.second_step, name="mfa_authenticate"),
    path(
        "2fa/reauthenticate/",
        viewer_required(entrance(confirming.by_code, "confirm_identity")),
        name="mfa_reauthenticate",
    ),
    path("2fa/totp/activate/", security.set_up_app, name="mfa_activate_totp"),
    path("2fa/totp/deactivate/", security.turn_off_app, name="mfa_deactivate_totp"),
    path("2fa/recovery-codes/", security.codes, name="mfa_view_recovery_codes"),
    path("2fa/recovery-codes/generate/", security.codes_make, name="mfa_generate_recovery_codes"),
    path(
        "2fa/webauthn/login/",
        entrance(passkeys.login_webauthn, "sign_in_passkey", also_get=True),
        name="mfa_login_webauthn",
    ),
    path("2fa/webauthn/add/", security.add_passkey, name="mfa_add_webauthn"),
    path(
        "2fa/webauthn/reauthenticate/",
        viewer_required(entrance(confirming.by_passkey, "confirm_identity")),
        name="mfa_reauthenticate_webauthn",
    ),
    path("2fa/webauthn/<int:pk>/edit/", security.rename_passkey, name="mfa_edit_webauthn"),
    path("2fa/webauthn/<int:pk>/remove/", security.remove_passkey, name="mfa_remove_webauthn"),
]
