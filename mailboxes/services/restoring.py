"""A mailbox gets back the settings that a dossier tells of, as far as PurelyMail lets it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from django.utils.translation import gettext as _

from mailboxes.dossiers import recovery_methods, settings_of
from mailboxes.models import Mailbox
from mailboxes.services.recovery import save_recovery_method
from mailboxes.services.settings import change_settings, read_settings
from purelymanage.core.addresses import shown_address
from purelymanage.core.errors import PurelyManageError, RefusedError, UnavailableError
from purelymanage.deletions.registry import Facts
from purelymanage.purelymail.types import RecoveryMethod, RemoteUser

Step = tuple[str, Callable[[], object]]


@dataclass
class Restored:
    """What was set and read back, and what was not."""

    done: list[str] = field(default_factory=list)
    missed: list[tuple[str, str]] = field(default_factory=list)
    """What, and why."""


def restore_settings(*, mailbox: Mailbox, facts: Facts) -> Restored:
    """Set what the dossier tells and PurelyMail has otherwise. Doing it twice changes nothing.

    A step that is refused leaves the others; after one without an answer no other is tried.
    """
    result = Restored()
    if not settings_of(facts):
        what = _("Settings and recovery methods")
        result.missed.append((what, _("PurelyMail had not told them before the deletion.")))
        return result
    try:
        present = read_settings(mailbox=mailbox)
    except PurelyManageError as error:
        result.missed.append((_("Settings and recovery methods"), error.message))
        return result
    silence = ""
    for what, act in _steps(mailbox, present, facts):
        if silence:
            result.missed.append((what, silence))
            continue
        try:
            act()
        except PurelyManageError as error:
            result.missed.append((what, error.message))
            if isinstance(error, UnavailableError):
                silence = _("Not tried, since PurelyMail did not answer before.")
        else:
            result.done.append(what)
    return result


def _steps(mailbox: Mailbox, present: RemoteUser, facts: Facts) -> Iterator[Step]:
    """The recovery methods come first: without one, a second factor would lock its owner out."""
    settings, methods = settings_of(facts), recovery_methods(facts)
    for method in methods:
        what = _("Recovery method %(target)s") % {"target": shown_address(method.target)}
        yield what, partial(_restore_method, mailbox, present, method)
    words = {
        "enable_search_indexing": (_("Indexed for search"), _("Not indexed for search")),
        "enable_password_reset": (
            _("Password can be reset by its owner"),
            _("Password cannot be reset by its owner"),
        ),
        "require_two_factor": (_("Second factor required"), _("No second factor required")),
    }
    for name, (when_on, when_off) in words.items():
        value = settings[name]
        change = partial(change_settings, mailbox=mailbox, accepts_lockout=not methods)
        yield when_on if value else when_off, partial(change, **{name: value})
    if settings["enable_spam_filtering"] != present.enable_spam_filtering:
        yield _("Spam filter"), _refuse_spam_filter


def _restore_method(mailbox: Mailbox, present: RemoteUser, method: RecoveryMethod) -> None:
    known = {one.target: one for one in present.recovery_methods}
    if known.get(method.target) != method:
        existing = method.target if method.target in known else ""
        save_recovery_method(mailbox=mailbox, method=method, existing_target=existing)


def _refuse_spam_filter() -> None:
    raise RefusedError(_("PurelyMail lets only its own web page change this."))
