"""One attempt to exchange a rule at PurelyMail for another, from wherever things stand.

A rule is deleted only where number and content are those of the journal. Nothing here writes rows.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from purelymanage.core.addresses import shown_address
from purelymanage.core.errors import PurelyManageError, RefusedError, UnavailableError
from purelymanage.purelymail.client import get_client
from purelymanage.purelymail.errors import (
    NoAnswerError,
    NotReachedError,
    RuleExistsError,
    UnknownOutcomeError,
)
from purelymanage.purelymail.types import RemoteRule
from routing.models import RuleEdit
from routing.picture import Rule, rule_from
from routing.services.rules import likeness_of, send
from routing.words import listed

LAST_START = 120.0
"""Seconds after which no further call begins: the exchange goes on later, in a task."""


class UnfinishedError(UnavailableError):
    """Not the new rule alone, and not the old one alone: the task goes on."""


@dataclass
class Exchange:
    """The old rule and the new one, and which of them were last seen at PurelyMail."""

    edit: RuleEdit
    old: Rule
    new: Rule
    old_there: RemoteRule | None = None
    put_back: RemoteRule | None = None
    """The old rule once more, with another number."""
    new_there: RemoteRule | None = None
    stranger: RemoteRule | None = None
    """Another rule under the old one's number."""
    is_new_ours: bool = False
    """We created the new one just now, so we may delete it again."""
    has_looked: bool = False
    started: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, edit: RuleEdit) -> Exchange:
        """As the journal has it."""
        return cls(edit, old=rule_from(edit.old), new=rule_from(edit.new))

    @property
    def standing(self) -> list[RemoteRule]:
        """All of them that are there."""
        known = (self.new_there, self.put_back, self.old_there, self.stranger)
        return [remote for remote in known if remote]

    def look(self) -> None:
        """See which of them are there."""
        there = get_client().list_routing_rules()
        old, new = likeness_of(self.old), likeness_of(self.new)
        numbered = next((rule for rule in there if rule.id == self.edit.old_id), None)
        is_old = numbered is not None and numbered.likeness == old
        self.old_there = numbered if is_old else None
        self.stranger = None if is_old else numbered
        self.new_there = next((rule for rule in there if rule.likeness == new), None)
        self.put_back = next(
            (rule for rule in there if rule.likeness == old and rule.id != self.edit.old_id), None
        )
        if self.stranger in (self.new_there, self.put_back):
            self.stranger = None
        self.has_looked = True

    def begin(self) -> RemoteRule:
        """The whole exchange; the new rule is returned, any other end raised."""
        self.look()
        if self.old_there is None:
            raise RefusedError(
                _(
                    "PurelyMail does not have the rule %(source)s as it is shown here: it was "
                    "changed or deleted outside the panel. Nothing was changed; look at the list."
                )
                % self._names()
            )
        if self.new_there:
            raise RefusedError(
                _(
                    "PurelyMail has exactly the new rule already, made outside the panel. "
                    "Nothing was changed; refresh the list and delete the one you do not need."
                )
            )
        return self.go_on()

    def go_on(self) -> RemoteRule:
        """From what was last seen to the new rule, or back to the old one."""
        if self.new_there:
            self._remove_old(self.new_there)
            return self.new_there
        if self.old.key == self.new.key:
            if self.old_there:
                self._delete(self.old_there)
                self.old_there = None
            elif self.put_back:
                raise RefusedError(_("The old rule %(source)s was put back.") % self._names())
            return self._create_or_put_back()
        if not self.old_there:
            raise RefusedError(
                _("The old rule %(source)s was deleted outside the panel; no rule was created.")
                % self._names()
            )
        try:
            self._in_time()
            self.new_there = send(self.new)
            self.is_new_ours = True
        except UnknownOutcomeError as error:
            raise self._unfinished(error) from None
        self._remove_old(self.new_there)
        return self.new_there

    def _create_or_put_back(self) -> RemoteRule:
        """The old rule is gone and had the same address, which must not stay without a rule."""
        try:
            self._in_time()
            self.new_there = send(self.new)
        except PurelyManageError as failure:
            return self._put_back(failure)
        return self.new_there

    def _put_back(self, failure: PurelyManageError) -> RemoteRule:
        try:
            self._in_time()
            self.put_back = send(self.old)
        except RuleExistsError:  # the new one after all, or a stranger's
            return self._see_whose_it_is(failure)
        except PurelyManageError as second:
            raise self._unfinished(second) from None
        raise _like(
            failure,
            _(
                "The new rule could not be created, so the old one was put back: %(source)s goes "
                "to %(targets)s as before. %(reason)s"
            )
            % self._names(failure),
        )

    def _see_whose_it_is(self, failure: PurelyManageError) -> RemoteRule:
        try:
            self.look()
        except PurelyManageError as error:
            raise self._unfinished(error) from None
        if self.new_there:
            return self.new_there
        raise RefusedError(
            _(
                "The rule %(source)s was deleted, and neither the new one nor it could be "
                "created: somebody made another rule for that address meanwhile. "
                "Refresh the list and look at it. %(reason)s"
            )
            % self._names(failure)
        )

    def _remove_old(self, new: RemoteRule) -> None:
        """The second half where both may stand for a moment; failing that, the new one goes."""
        if self.old_there is None:
            return
        try:
            self._delete(self.old_there)
        except UnfinishedError:
            raise
        except PurelyManageError as failure:
            self._take_back(new, failure)
        self.old_there = None

    def _take_back(self, new: RemoteRule, failure: PurelyManageError) -> None:
        if not self.is_new_ours:
            raise self._unfinished(failure)
        try:
            self._delete(new)
        except UnfinishedError:
            raise
        except PurelyManageError as second:
            raise self._unfinished(second) from None
        self.new_there = None
        raise _like(
            failure,
            _(
                "The old rule could not be deleted, so the new one was taken back: %(source)s "
                "goes to %(targets)s as before. %(reason)s"
            )
            % self._names(failure),
        )

    def _delete(self, remote: RemoteRule) -> None:
        """Gone already is as good."""
        self._in_time()
        try:
            get_client().delete_routing_rule(rule_id=remote.id)
        except UnknownOutcomeError as error:
            raise self._unfinished(error) from None
        except RefusedError:
            if self._is_there(remote):
                raise

    def _is_there(self, remote: RemoteRule) -> bool:
        try:
            return remote in get_client().list_routing_rules()
        except PurelyManageError as error:
            raise self._unfinished(error) from None

    def _in_time(self) -> None:
        if time.monotonic() - self.started > LAST_START:
            raise UnavailableError(_("PurelyMail answers too slowly."))

    def _unfinished(self, error: PurelyManageError) -> UnfinishedError:
        """Say how things stand, as far as that is known."""
        if isinstance(error, UnknownOutcomeError):
            stand = _("It is not known which of the two rules PurelyMail has now.")
        elif self.old_there and self.new_there:
            stand = _("Both rules stand at the moment.")
        elif not self.standing:
            stand = _("Neither rule stands at the moment, so its mail is not passed on.")
        else:
            stand = ""
        said = _(
            "The change of %(source)s is not at its end. %(stand)s The panel goes on by itself "
            "every five minutes. %(reason)s"
        ) % (self._names(error) | {"stand": stand})
        return UnfinishedError(said.replace("  ", " "))

    def _names(self, failure: PurelyManageError | None = None) -> dict[str, Any]:
        return {
            "source": shown_address(self.old.source),
            "targets": listed(self.old.targets),
            "reason": _cause(failure) if failure else "",
        }


def _cause(failure: PurelyManageError) -> str:
    """What went wrong, without the client's own word on what was changed: here more was."""
    cause = failure.__context__
    inner = cause if isinstance(cause, NotReachedError | NoAnswerError) else failure
    return inner.message


def _like(failure: PurelyManageError, message: str) -> PurelyManageError:
    kind = RefusedError if isinstance(failure, RefusedError) else UnavailableError
    return kind(message)
