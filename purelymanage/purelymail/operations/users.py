"""PurelyMail's users, our mailboxes."""

from __future__ import annotations

from django.utils.translation import gettext as _

from purelymanage.core.errors import MissingError
from purelymanage.purelymail import replies
from purelymanage.purelymail.operations.base import Operations
from purelymanage.purelymail.transport import fields
from purelymanage.purelymail.types import MAX_LISTED_USERS, RemoteUser, UserList


class UserOperations(Operations):
    """Operations on mailboxes."""

    def list_users(self) -> UserList:
        """The addresses of all mailboxes, or of the first thousand."""
        addresses = replies.texts(self._read("listUser"), "users")
        return UserList(addresses, may_be_truncated=len(addresses) >= MAX_LISTED_USERS)

    def get_user(self, *, address: str) -> RemoteUser:
        """The settings of one mailbox."""
        reply = self._read("getUser", fields(userName=address), about=address)
        return RemoteUser(
            address=address,
            enable_search_indexing=replies.flag(reply, "enableSearchIndexing"),
            enable_password_reset=replies.flag(reply, "recoveryEnabled"),
            require_two_factor=replies.flag(reply, "requireTwoFactorAuthentication"),
            enable_spam_filtering=replies.flag(reply, "enableSpamFiltering"),
            recovery_methods=[
                replies.method_of(entry) for entry in replies.objects(reply, "resetMethods")
            ],
        )

    def create_user(
        self,
        *,
        local_part: str,
        domain: str,
        password: str,
        enable_password_reset: bool = False,
        recovery_email: str | None = None,
        recovery_email_description: str | None = None,
        recovery_phone: str | None = None,
        recovery_phone_description: str | None = None,
        enable_search_indexing: bool | None = None,
        send_welcome_email: bool = False,
    ) -> None:
        """Create a mailbox; on a shared domain it is billed."""
        address = f"{local_part}@{domain}"
        body = fields(
            userName=local_part,
            domainName=domain,
            password=password,
            enablePasswordReset=enable_password_reset,
            recoveryEmail=recovery_email,
            recoveryEmailDescription=recovery_email_description,
            recoveryPhone=recovery_phone,
            recoveryPhoneDescription=recovery_phone_description,
            enableSearchIndexing=enable_search_indexing,
            sendWelcomeEmail=send_welcome_email,
        )
        del password  # a traceback with local variables must not show it
        self._write(
            "createUser",
            body,
            about=address,
            done=lambda: self._exists(address),
            unclear=_(
                "It is not known whether %(address)s was created: "
                "look for it in the list of mailboxes before creating it again."
            )
            % {"address": address},
        )

    def modify_user(
        self,
        *,
        address: str,
        new_address: str | None = None,
        new_password: str | None = None,
        enable_search_indexing: bool | None = None,
        enable_password_reset: bool | None = None,
        require_two_factor: bool | None = None,
    ) -> None:
        """Change what is given and leave the rest. A password cannot be read back."""
        sets_password = new_password is not None
        body = fields(
            userName=address,
            newUserName=new_address,
            newPassword=new_password,
            enableSearchIndexing=enable_search_indexing,
            enablePasswordReset=enable_password_reset,
            requireTwoFactorAuthentication=require_two_factor,
        )
        del new_password  # a traceback with local variables must not show it
        wanted = {
            "enable_search_indexing": enable_search_indexing,
            "enable_password_reset": enable_password_reset,
            "require_two_factor": require_two_factor,
        }
        self._write(
            "modifyUser",
            body,
            about=address,
            repeat=new_address is None,
            done=None if sets_password else lambda: self._is_modified(address, new_address, wanted),
            unclear=_unclear_modification(address, new_address, sets_password=sets_password),
        )

    def delete_user(self, *, address: str) -> None:
        """Delete a mailbox with its mail; there is no undo."""
        self._write(
            "deleteUser",
            fields(userName=address),
            about=address,
            done=lambda: not self._exists(address),
            unclear=_(
                "It is not known whether %(address)s was deleted: "
                "look for it in the list of mailboxes."
            )
            % {"address": address},
        )

    def _exists(self, address: str) -> bool:
        """Whether there is such a mailbox, also beyond the end of a truncated list."""
        users = self.list_users()
        if address.lower() in (one.lower() for one in users.addresses):
            return True
        if not users.may_be_truncated:
            return False
        try:
            self.get_user(address=address)
        except MissingError:
            return False
        return True

    def _is_modified(
        self, address: str, new_address: str | None, wanted: dict[str, bool | None]
    ) -> bool:
        if new_address is not None and new_address.lower() != address.lower():
            if self._exists(address) or not self._exists(new_address):
                return False
            address = new_address
        if all(value is None for value in wanted.values()):
            return True
        user = self.get_user(address=address)
        return all(
            value is None or getattr(user, setting) == value for setting, value in wanted.items()
        )


def _unclear_modification(address: str, new_address: str | None, *, sets_password: bool) -> str:
    words = {"address": address, "new_address": new_address}
    if sets_password and new_address:
        return (
            _(
                "It is not known whether %(address)s was renamed to %(new_address)s and its "
                "password changed: look which of the two is in the list of mailboxes, then set "
                "the password again."
            )
            % words
        )
    if sets_password:
        return (
            _(
                "It is not known whether the password of %(address)s was changed, and PurelyMail "
                "offers no way to find out. Set the password again."
            )
            % words
        )
    if new_address:
        return (
            _(
                "It is not known whether %(address)s was renamed to %(new_address)s: "
                "look which of the two is in the list of mailboxes."
            )
            % words
        )
    return (
        _(
            "It is not known whether the settings of %(address)s were changed: open the mailbox "
            "again to see them. Repeating the change does no harm."
        )
        % words
    )
