"""App passwords: PurelyMail shows one once, and can neither list them nor name them later."""

from __future__ import annotations

from django.utils.translation import gettext as _

from purelymanage.purelymail import replies
from purelymanage.purelymail.errors import NoAnswerError, NotReachedError, UnknownOutcomeError
from purelymanage.purelymail.operations.base import Operations, unchanged
from purelymanage.purelymail.transport import fields


class AppPasswordOperations(Operations):
    """Operations on the app passwords of one mailbox."""

    def create_app_password(self, *, address: str, name: str = "") -> str:
        """A new app password. Each call makes another one, so it is never repeated."""
        try:
            reply = self._transport.call(
                "createAppPassword",
                fields(userHandle=address, name=name or None),
                about=address,
                changes=True,
            )
            return replies.text(reply, "appPassword")
        except NotReachedError as error:
            raise unchanged(error) from None
        except NoAnswerError as error:
            raise UnknownOutcomeError(
                _(
                    "%(reason)s An app password that nobody knows may now exist for %(address)s. "
                    "Create a new one; the unusable one can be removed on PurelyMail's web page."
                )
                % {"reason": error, "address": address}
            ) from None

    def delete_app_password(self, *, address: str, app_password: str) -> None:
        """Revoke an app password; PurelyMail knows it only by itself."""
        body = fields(userName=address, appPassword=app_password)
        del app_password  # a traceback with local variables must not show it
        self._write(
            "deleteAppPassword",
            body,
            about=address,
            done=None,
            unclear=_(
                "It is not known whether the app password of %(address)s was revoked. Revoke it "
                "again, or look on PurelyMail's web page; until then it may still open the mailbox."
            )
            % {"address": address},
        )
