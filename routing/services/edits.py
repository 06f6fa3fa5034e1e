"""Changing a rule. PurelyMail has no update: one rule is deleted and another created.

The edit is on record (`RuleEdit`) from before the first call until after the last. Wherever it is
cut short, `finish_edits` looks at what PurelyMail has and goes on from there: to the new rule, or
back to the old one. Between the two calls of an edit that keeps the address, its mail is not
passed on; that is as short as it can be.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from audit.actions import Action
from audit.services import Change, audited
from domains.copy import own_change
from domains.models import Kind
from purelymanage.core.addresses import shown_address
from purelymanage.core.context import current_actor
from purelymanage.core.errors import PurelyManageError, RefusedError
from purelymanage.jobs.locks import only_one
from purelymanage.purelymail.types import RemoteRule
from routing.models import RoutingRule, RuleEdit
from routing.picture import Rule, as_rule
from routing.services.exchange import Exchange, UnfinishedError
from routing.services.rules import (
    facts_of,
    keep,
    own_domain,
    refuse_conflict,
    refuse_pending_deletion,
    refuse_shared,
    refuse_while_edited,
)

logger = logging.getLogger(__name__)

LOCK_SECONDS = 400.0
"""Longer than an exchange goes on making calls, and the longest call with its reading back."""
MAX_PROBLEM = 500


def edit_rule(*, rule: RoutingRule, draft: Rule) -> RoutingRule:
    """Exchange a rule for another, or go back to the old one where that fails half-way."""
    draft = replace(draft, pk=rule.pk)
    _refuse_unusable(rule, draft)
    with only_one(_lock_name(rule.purelymail_id), seconds=LOCK_SECONDS) as alone:
        edit = _begin(rule, draft) if alone else None
        if edit is None:
            raise RefusedError(
                _("Somebody is changing the rule %(source)s just now. Nothing was changed.")
                % {"source": shown_address(rule.source)}
            )
        exchange = Exchange.of(edit)
        with _on_record(exchange):
            remote = _conclude(exchange, exchange.begin)
    return RoutingRule.objects.select_related("domain").get(purelymail_id=remote.id)


def finish_edits() -> None:
    """Bring edits that were cut short to an end. One that is in hand elsewhere is left alone."""
    for edit in RuleEdit.objects.select_related("domain"):
        with only_one(_lock_name(edit.old_id), seconds=LOCK_SECONDS) as alone:
            if alone and RuleEdit.objects.filter(pk=edit.pk).exists():
                _finish(edit)


def _finish(edit: RuleEdit) -> None:
    exchange = Exchange.of(edit)
    try:
        exchange.look()
        with _on_record(exchange):
            _conclude(exchange, exchange.go_on)
    except PurelyManageError as error:
        logger.warning("The edit of %s: %s", exchange.old.source, error)


def _on_record(exchange: Exchange) -> AbstractContextManager[Change]:
    """With both sources, so that a refresh amid the edit takes neither rule for a stranger's."""
    old, new, edit = exchange.old.source, exchange.new.source, exchange.edit
    return audited(
        Action.RULE_CHANGED,
        target=old,
        before={"source": old, **edit.old},
        after={"source": new, **edit.new},
    )


def _refuse_unusable(rule: RoutingRule, draft: Rule) -> None:
    old = as_rule(rule)
    if (old.key, old.is_catchall, set(old.targets)) == (
        draft.key,
        draft.is_catchall,
        set(draft.targets),
    ):
        raise RefusedError(_("Nothing is different. The rule stays as it is."))
    refuse_shared(rule)
    own_domain(draft.domain)
    refuse_pending_deletion(rule)
    refuse_while_edited(rule)
    refuse_conflict(draft)


def _lock_name(old_id: int) -> str:
    return f"routing.edit.{old_id}"


def _begin(rule: RoutingRule, draft: Rule) -> RuleEdit | None:
    """The journal's entry; None where another edit of the rule has one."""
    with suppress(IntegrityError), transaction.atomic():
        return RuleEdit.objects.create(
            domain=rule.domain,
            old_id=rule.purelymail_id,
            old=facts_of(rule),
            new=facts_of(draft),
            started_by_id=current_actor().user_id,
        )
    return None


def _conclude(exchange: Exchange, step: Callable[[], RemoteRule]) -> RemoteRule:
    """Take the step. However it ends, rows and journal tell it; a crash leaves the journal."""
    failure: PurelyManageError | None = None
    with own_change(Kind.RULES):
        try:
            remote = step()
        except PurelyManageError as error:
            failure = error
        _write_rows(exchange)
    if isinstance(failure, UnfinishedError):
        exchange.edit.problem = failure.message[:MAX_PROBLEM]
        exchange.edit.save(update_fields=["problem"])
    else:
        exchange.edit.delete()
    if failure:
        raise failure
    return remote


def _write_rows(exchange: Exchange) -> None:
    """The local copy of what stands at PurelyMail, as far as it was seen."""
    old_id = exchange.edit.old_id
    if not exchange.has_looked:
        return
    with transaction.atomic():
        if not exchange.standing:
            RoutingRule.objects.filter(purelymail_id=old_id).delete()
        is_free = all(remote.id != old_id for remote in exchange.standing)
        for remote in exchange.standing:
            keep(remote, in_place_of=old_id if is_free else None)
            is_free = False
