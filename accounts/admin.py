from allauth.mfa.models import Authenticator
from django.contrib import admin

from accounts.models import Invitation, SecurityPolicy, Session, User
from purelymanage.core.inspection import InspectionAdmin


@admin.register(User)
class UserInspection(InspectionAdmin):
    list_display = ["email", "name", "role", "is_active", "last_login"]
    list_filter = ["role", "is_active"]
    search_fields = ["email", "name"]
    exclude = ["password", "groups", "user_permissions", "is_superuser"]


@admin.register(Session)
class SessionInspection(InspectionAdmin):
    list_display = ["user", "begun_at", "last_seen_at", "address", "user_agent"]
    list_select_related = ["user"]
    exclude = ["session_key", "session_data"]


@admin.register(Invitation)
class InvitationInspection(InspectionAdmin):
    list_display = ["email", "role", "invited_by", "created_at", "expires_at", "accepted_at"]
    list_select_related = ["invited_by"]
    exclude = ["token_digest"]


@admin.register(SecurityPolicy)
class SecurityPolicyInspection(InspectionAdmin):
    list_display = ["pk", "second_factor_from"]


@admin.register(Authenticator)
class AuthenticatorInspection(InspectionAdmin):
    list_display = ["user", "type", "created_at", "last_used_at"]
    list_select_related = ["user"]
    exclude = ["data"]
