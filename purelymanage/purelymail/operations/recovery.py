"""Recovery methods: where a mailbox's password can be reset. PurelyMail has no ids for them."""

from __future__ import annotations

from django.utils.translation import gettext as _

from purelymanage.core.errors import InvalidError
from purelymanage.purelymail import replies
from purelymanage.purelymail.operations.base import Operations
from purelymanage.purelymail.transport import fields
from purelymanage.purelymail.types import RecoveryMethod


class RecoveryOperations(Operations):
    """Operations on the recovery methods of one mailbox."""

    def list_recovery_methods(self, *, address: str) -> list[RecoveryMethod]:
        """The methods of one mailbox; PurelyMail files them under `users`."""
        reply = self._read("listPasswordReset", fields(userName=address), about=address)
        return [replies.method_of(entry) for entry in replies.objects(reply, "users")]

    def upsert_recovery_method(
        self,
        *,
        address: str,
        type: str,  # noqa: A002  PurelyMail's own word for it
        target: str,
        existing_target: str | None = None,
        description: str = "",
        allow_mfa_reset: bool = True,
    ) -> None:
        """Add a method, or change the one whose target is `existing_target`."""
        wanted = RecoveryMethod(type, target, description, allow_mfa_reset)
        replaced = existing_target if existing_target != target else None
        self._write(
            "upsertPasswordReset",
            fields(
                userName=address,
                type=type,
                target=target,
                existingTarget=existing_target,
                description=description,
                allowMfaReset=allow_mfa_reset,
            ),
            about=address,
            done=lambda: self._is_saved(address, wanted, replaced=replaced),
            unclear=_unclear(address),
        )

    def delete_recovery_method(self, *, address: str, target: str) -> None:
        """Remove one method. Without a target PurelyMail may remove all of them."""
        if not target:
            raise InvalidError(_("Name the recovery method to remove."))
        self._write(
            "deletePasswordReset",
            fields(userName=address, target=target),
            about=address,
            done=lambda: all(
                method.target != target for method in self.list_recovery_methods(address=address)
            ),
            unclear=_unclear(address),
        )

    def _is_saved(self, address: str, wanted: RecoveryMethod, *, replaced: str | None) -> bool:
        methods = self.list_recovery_methods(address=address)
        return wanted in methods and all(method.target != replaced for method in methods)


def _unclear(address: str) -> str:
    return _(
        "It is not known whether the recovery methods of %(address)s were changed: "
        "open the mailbox again to see them."
    ) % {"address": address}
