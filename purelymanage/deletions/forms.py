"""The answer to the question before a deletion."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from purelymanage.core.addresses import clean_domain, shown_domain


class ConfirmForm(forms.Form):
    """Nothing to fill in, or the name of the domain, in either of its forms.

    `key` is what is to be deleted now; `about` what the page asked about when it was opened.
    """

    about = forms.CharField(required=False, max_length=254, widget=forms.HiddenInput)
    typed = forms.CharField(label=gettext_lazy("Type the name to confirm"), max_length=254)

    def __init__(self, *args: Any, key: str, must_type: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.key, self.must_type = key, must_type
        if not must_type:
            del self.fields["typed"]
            return
        attrs = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        self.fields["typed"].widget.attrs.update(attrs)

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("about") not in (None, "", self.key):
            raise ValidationError(
                _(
                    "It was changed or renamed since you opened this page. Nothing is scheduled: "
                    "look at what you would delete now."
                )
            )
        return self.cleaned_data

    def clean_typed(self) -> str:
        text: str = self.cleaned_data["typed"]
        try:
            is_it = clean_domain(text) == self.must_type
        except ValidationError:
            is_it = False
        if not is_it:
            raise ValidationError(
                _("This is not its name. Type %(name)s.") % {"name": shown_domain(self.must_type)}
            )
        return text
