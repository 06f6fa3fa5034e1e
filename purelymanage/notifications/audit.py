"""Mail about the audit log: its head to those who keep it, and an alarm to every admin."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _

from audit.models import Verification
from audit.verification import Report
from purelymanage.notifications.mail import Words, compose, send
from purelymanage.notifications.services import notify_admins


class AuditPost:
    """What `audit.watch` is given to send its news with."""

    def alarm(self, verification: Verification) -> bool:
        """False where nobody could be told."""
        return notify_admins(
            subject=_("The audit log: %(verdict)s")
            % {"verdict": verification.get_verdict_display()},
            template="audit_broken",
            context={"verification": verification},
        )

    def send_head(self, verification: Verification, report: Report) -> None:
        """To each address of AUDIT_HEAD_MAIL, on its own."""
        context = {
            "base_url": settings.BASE_URL,
            "verification": verification,
            "report": report,
        }
        subject = _("Head of the audit log: %(verdict)s") % {
            "verdict": verification.get_verdict_display()
        }
        words = Words(subject, "audit_head")
        for address in settings.AUDIT_HEAD_MAIL:
            send(compose(words, context, address))
