"""Routing rules. There is no update, and creating one does not tell its id."""

from __future__ import annotations

from django.utils.translation import gettext as _

from purelymanage.core.errors import PurelyManageError
from purelymanage.purelymail import replies
from purelymanage.purelymail.errors import UnknownOutcomeError
from purelymanage.purelymail.operations.base import Operations
from purelymanage.purelymail.transport import fields
from purelymanage.purelymail.types import RemoteRule


class RoutingOperations(Operations):
    """Operations on routing rules."""

    def list_routing_rules(self) -> list[RemoteRule]:
        """All rules of the account."""
        reply = self._read("listRoutingRules")
        return [replies.rule_of(entry) for entry in replies.objects(reply, "rules")]

    def create_routing_rule(
        self,
        *,
        domain: str,
        match_user: str,
        is_prefix: bool,
        is_catchall: bool,
        targets: list[str],
    ) -> RemoteRule:
        """Create a rule, and find it in the list to learn its id."""
        wanted = RemoteRule(0, domain, match_user, is_prefix, is_catchall, targets)
        source = f"{match_user}{'*' if is_prefix else ''}@{domain}"
        self._write(
            "createRoutingRule",
            fields(
                domainName=domain,
                prefix=is_prefix,
                matchUser=match_user,
                targetAddresses=targets,
                catchall=is_catchall,
            ),
            about=source,
            done=lambda: self._find(wanted) is not None,
            unclear=_(
                "It is not known whether the rule for %(source)s was created: "
                "look for it in the list of rules before creating it again."
            )
            % {"source": source},
        )
        return self._created(wanted, source)

    def delete_routing_rule(self, *, rule_id: int) -> None:
        """Delete a rule by PurelyMail's number."""
        self._write(
            "deleteRoutingRule",
            fields(routingRuleId=rule_id),
            about=_("rule %(id)s") % {"id": rule_id},
            done=lambda: all(rule.id != rule_id for rule in self.list_routing_rules()),
            unclear=_(
                "It is not known whether the rule was deleted: look for it in the list of rules."
            ),
        )

    def _created(self, wanted: RemoteRule, source: str) -> RemoteRule:
        reason = _("The list of rules does not show it.")
        try:
            rule = self._find(wanted)
        except PurelyManageError as error:
            rule, reason = None, error.message
        if rule is None:
            raise UnknownOutcomeError(
                _(
                    "PurelyMail accepted the rule for %(source)s, but it could not be read back. "
                    "%(reason)s Refresh the list of rules before creating it again."
                )
                % {"source": source, "reason": reason}
            )
        return rule

    def _find(self, wanted: RemoteRule) -> RemoteRule | None:
        return next(
            (rule for rule in self.list_routing_rules() if rule.likeness == wanted.likeness), None
        )
