"""Is what was uploaded small enough to be read, and is there something at all?"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from purelymanage.core.tables import refuse_large

PASTED = gettext_lazy("pasted list")


class UploadForm(forms.Form):
    """A CSV file, or the same pasted; that comes back with an error, in that one answer."""

    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv,text/plain"}),
    )
    pasted = forms.CharField(
        label=gettext_lazy("Or paste the lines"),
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={
                "rows": 6,
                "spellcheck": "false",
                "autocomplete": "off",
                "autocapitalize": "none",
            }
        ),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        refuse_large(file.size if file else 0)
        return file

    def clean_pasted(self) -> str:
        pasted: str = self.cleaned_data["pasted"]
        refuse_large(len(pasted.encode()))
        return pasted

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        has_file, has_text = bool(cleaned.get("file")), bool(cleaned.get("pasted", "").strip())
        if has_file and has_text:
            self.add_error("pasted", _("Choose a file or paste lines, not both."))
        elif not (has_file or has_text or {"file", "pasted"} & self.errors.keys()):
            self.add_error("file", _("Choose a file, or paste lines below."))
        return cleaned

    @property
    def content(self) -> bytes:
        """What is to be read."""
        file = self.cleaned_data["file"]
        content: bytes = file.read() if file else self.cleaned_data["pasted"].encode()
        return content

    @property
    def source(self) -> str:
        """What the batch is called."""
        file = self.cleaned_data["file"]
        return file.name if file else str(PASTED)
