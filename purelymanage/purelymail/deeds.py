"""What each of PurelyMail's operations does, in the words of people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

DEEDS = {
    "addDomain": _("add the domain"),
    "checkAccountCredit": _("tell the credit"),
    "createAppPassword": _("create the app password"),
    "createRoutingRule": _("create the routing rule"),
    "createUser": _("create the mailbox"),
    "deleteAppPassword": _("delete the app password"),
    "deleteDomain": _("delete the domain"),
    "deletePasswordReset": _("delete the recovery method"),
    "deleteRoutingRule": _("delete the routing rule"),
    "deleteUser": _("delete the mailbox"),
    "getOwnershipCode": _("tell the ownership code"),
    "getUser": _("show the mailbox"),
    "listDomains": _("list the domains"),
    "listPasswordReset": _("list the recovery methods"),
    "listRoutingRules": _("list the routing rules"),
    "listUser": _("list the mailboxes"),
    "modifyUser": _("change the mailbox"),
    "updateDomainSettings": _("change the domain"),
    "upsertPasswordReset": _("save the recovery method"),
}
