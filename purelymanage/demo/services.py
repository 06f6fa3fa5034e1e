"""What the demo does for a newcomer: servers and a past of its credit, DNS published on demand."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import requests
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import audited
from domains.models import CreditReading
from migrations_app.models import MigrationJob, Security, Server
from purelymanage.core.errors import UnavailableError
from purelymanage.demo.places import HOST
from purelymanage.purelymail.simulator.demo import CREDIT

PUBLISHED = {
    "ownership": {"ownership": True},
    "all": {"ownership": True, "mx": True, "spf": True, "dkim": True, "dmarc": True},
}
SECONDS = 5
DAYS_BACK, BURNT_A_DAY = 60, Decimal("0.11")


def define_servers() -> list[Server]:
    """Add "Old provider" and "PurelyMail" on first start; later the admin's changes stand."""
    if Server.objects.exists() or MigrationJob.objects.exists():
        return []
    ports = {"Old provider": settings.DEMO_OLD_PORT, "PurelyMail": settings.DEMO_NEW_PORT}
    servers = []
    for name, port in ports.items():
        with audited(Action.SERVER_CREATED, target=name):
            servers.append(
                Server.objects.create(name=name, host=HOST, port=port, security=Security.NONE)
            )
    return servers


def write_credit_history() -> None:
    """Two months in which the credit went down day by day, where none has been read yet."""
    if CreditReading.objects.exists():
        return
    now, credit = timezone.now(), Decimal(CREDIT)
    CreditReading.objects.bulk_create(
        CreditReading(at=now - timedelta(days=day), credit=round(credit + day * BURNT_A_DAY, 8))
        for day in range(DAYS_BACK, 0, -1)
    )


def publish_records(*, domain: str, what: str) -> None:
    """Do at the demo's DNS what an admin does at the DNS provider: publish `what` of a domain."""
    try:
        answer = requests.post(
            f"{settings.PURELYMAIL_API_URL}/_simulator/dns",
            json={"domain": domain, **PUBLISHED[what]},
            timeout=SECONDS,
        )
        answer.raise_for_status()
    except requests.RequestException:
        raise UnavailableError(
            _("The demo's DNS did not take the records of %(domain)s. Try again in a moment.")
            % {"domain": domain}
        ) from None
