"""Is what was typed in the toolbar well formed?"""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from audit.actions import Action
from audit.selectors import Filters


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d", attrs={"class": "input"})


class DayField(forms.DateField):
    """A day that may be left out, in the years whose midnights exist in every time zone."""

    widget = DateInput
    default_validators = [
        MinValueValidator(date(2000, 1, 1)),
        MaxValueValidator(date(2999, 12, 31)),
    ]

    def __init__(self, *, label: Any) -> None:
        super().__init__(label=label, required=False)


class FilterForm(forms.Form):
    """All filters are optional, and nonsense in the URL counts as none."""

    actor = forms.CharField(label=_("Who"), required=False, max_length=254)
    action = forms.ChoiceField(label=_("Action"), required=False, choices=())
    target = forms.CharField(label=_("Target"), required=False, max_length=500)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(action.value, in_words(action)) for action in Action]
        self.fields["from"] = DayField(label=_("From"))
        self.fields["to"] = DayField(label=_("To"))
        self.fields["action"].choices = [("", _("All actions")), *choices]  # type: ignore[attr-defined]  # a ChoiceField has them

    def filters(self) -> Filters:
        """What to narrow by: the fields that make sense."""
        self.is_valid()
        typed = self.cleaned_data
        return Filters(
            actor=typed.get("actor", ""),
            action=typed.get("action", ""),
            target=typed.get("target", ""),
            since=typed.get("from"),
            until=typed.get("to"),
        )


def in_words(action: Action) -> str:
    """`created the mailbox {target}` → `Created the mailbox`, for the list to choose from."""
    words = " ".join(str(action.label).replace("{target}", "…").split())
    return words[:1].upper() + words[1:]
