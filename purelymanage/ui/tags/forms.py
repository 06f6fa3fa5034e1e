"""Form fields: label above, control, error, help, wired for screen readers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.forms import BaseForm, BoundField
from django.template import Library
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from purelymanage.ui.attributes import attributes, fill
from purelymanage.ui.icons import draw
from purelymanage.ui.strength import judge

register = Library()

CHOICE_LISTS = (forms.RadioSelect, forms.CheckboxSelectMultiple)


def _first_in_error(bound: BoundField) -> bool:
    """Whether focus belongs here after a refused form: the first field with an error."""
    return bool(bound.errors) and bound.name == next(
        name for name in bound.form.fields if name in bound.form.errors
    )


def _described_by(bound: BoundField, help_text: str, *more: str) -> str | None:
    ids = [f"{bound.auto_id}-error"] if bound.errors else []
    ids += [f"{bound.auto_id}-help"] if help_text else []
    return " ".join([*ids, *more]) or None


def _control(bound: BoundField, css_class: str, extra: dict[str, Any], **fixed: Any) -> SafeString:
    """The widget with our class, its wiring, and whatever attributes the page adds."""
    given = {name.rstrip("_").replace("_", "-"): value for name, value in (fixed | extra).items()}
    attrs = {
        name: value + "" if isinstance(value, str) else value
        for name, value in given.items()
        if value is not None and value is not False
    }
    own = bound.field.widget.attrs.get("class", "")
    attrs["class"] = f"{css_class} {own}".strip()
    if _first_in_error(bound) and "autofocus" not in given:
        attrs["autofocus"] = True
    if isinstance(bound.field.widget, forms.Textarea):
        attrs.setdefault("rows", 3)
    return bound.as_widget(attrs=attrs)


def _parts(bound: BoundField, help: str, label: str, *, optional: bool) -> dict[str, Any]:  # noqa: A002
    return {
        "id": bound.auto_id,
        "for": bound.id_for_label,
        "label": label or bound.label,
        "help": help or bound.help_text,
        "errors": list(bound.errors),
        "optional": optional and not bound.field.required,
    }


@register.simple_tag
def field(
    bound_field: BoundField,
    *,
    help: str = "",  # noqa: A002
    label: str = "",
    optional: bool = True,
    **extra: Any,
) -> SafeString:
    """One field of a form, whatever its widget: text, select, textarea, file, check box, radios.

    `help`, `label`: instead of the field's own; `optional=False`: do not mark it as optional;
    other keyword arguments become attributes of the control. After an error the first field in
    error has the focus.

        {% field form.name %}
        {% field form.domain help=_("Only yours.") hx_get=preview_url hx_target="#preview" %}
    """
    bound, widget = bound_field, bound_field.field.widget
    if bound.is_hidden:
        return bound.as_widget()
    parts = _parts(bound, help, label, optional=optional)
    described_by = _described_by(bound, parts["help"])
    if isinstance(widget, CHOICE_LISTS):
        parts |= {"choices": list(bound), "described_by": described_by}
        return render_to_string("components/choices.html", parts)
    if isinstance(widget, forms.CheckboxInput):
        parts["control"] = _control(bound, "", extra, aria_describedby=described_by)
        return render_to_string("components/check.html", parts)
    css_class = "input select" if isinstance(widget, forms.Select) else "input"
    parts["control"] = _control(bound, css_class, extra, aria_describedby=described_by)
    return render_to_string("components/field.html", parts)


@register.simple_tag
def form_errors(form: BaseForm) -> SafeString:
    """The banner above a refused form: its general errors, and links to several fields in error.

    <form method="post" novalidate>{% csrf_token %}{% form_errors form %}…
    """
    if not form.errors:
        return SafeString("")
    general = list(form.non_field_errors())
    wrong = [form[name] for name in form.fields if name in form.errors]
    if not general and len(wrong) < 2:
        return SafeString("")
    title = ngettext(
        "%(count)d field needs a change.", "%(count)d fields need a change.", len(wrong)
    )
    context = {
        "icon": draw("circle-x"),
        "general": general,
        "title": title % {"count": len(wrong)},
        "fields": [bound for bound in wrong if not bound.is_hidden],
    }
    return render_to_string("components/form_errors.html", context)


def _shown_value(bound: BoundField) -> str:
    """The password the page already holds, where its widget is one that shows it."""
    renders = getattr(bound.field.widget, "render_value", True)
    return str(bound.value() or "") if renders else ""


@register.simple_tag
def password_field(
    bound_field: BoundField,
    *,
    generate: bool = False,
    strength: bool = False,
    copy: bool = False,
    help: str = "",  # noqa: A002
    label: str = "",
    aside: str = "",
    optional: bool = True,
    **extra: Any,
) -> SafeString:
    """A password with a button that reveals it.

    `generate`: a button that fills in 20 random characters; `strength`: bar and word below, only
    where a new password is set; `copy`: a copy button; `aside`: a link beside the label.

        {% password_field form.password generate=True strength=True copy=True %}
    """
    bound = bound_field
    parts = _parts(bound, help, label, optional=optional)
    new = generate or strength
    wiring: dict[str, Any] = {"autocomplete": "new-password" if new else "current-password"}
    if new:
        wiring |= {"spellcheck": "false", "autocapitalize": "none"}
    slot = f"{bound.auto_id}-strength"
    if strength:
        wiring |= {
            "hx_post": f"{reverse('ui:password_strength')}?field={bound.html_name}",
            "hx_trigger": "input changed delay:300ms",
            "hx_target": f"#{slot}",
            "hx_swap": "innerHTML",
            "hx_params": bound.html_name,
            "hx_sync": "this:replace",
            "hx_push_url": "false",
        }
    described_by = _described_by(bound, parts["help"], *([slot] if strength else []))
    parts |= {
        "control": _control(
            bound, "input mono" if new else "input", wiring | extra, aria_describedby=described_by
        ),
        "generate": generate,
        "copy": copy,
        "slot": slot if strength else "",
        "strength": judge(_shown_value(bound)) if strength else None,
        "aside": aside,
    }
    return render_to_string("components/password_field.html", parts)


@register.simple_tag
def address_field(
    local_part: BoundField,
    domain: BoundField,
    *,
    label: str = "",
    **extra: Any,
) -> SafeString:
    """Local part and domain in one group, with the whole address below as it is typed.

    {% address_field form.local_part form.domain %}
    """
    parts = _parts(local_part, "", label, optional=True)
    parts["errors"] += list(domain.errors)
    error = f"{local_part.auto_id}-error" if parts["errors"] else ""
    described_by = f"{error} {local_part.auto_id}-help".strip()
    parts |= {
        "names": f"{local_part.html_name} {domain.html_name}",
        "local_part": _control(local_part, "input", extra, aria_describedby=described_by),
        "domain": _control(
            domain, "input select", {}, aria_label=domain.label, aria_describedby=error or None
        ),
    }
    return render_to_string("components/address_field.html", parts)


@register.simple_tag
def chip_field(
    bound_field: BoundField,
    *,
    suggestions: Iterable[str] = (),
    help: str = "",  # noqa: A002
    label: str = "",
    optional: bool = True,
    **extra: Any,
) -> SafeString:
    """Several addresses: a textarea with one per line, which script turns into chips.

    `suggestions`: addresses to offer while typing. What the form receives stays one per line.

        {% chip_field form.targets suggestions=known_addresses %}
    """
    parts = _parts(bound_field, help, label, optional=optional)
    described_by = _described_by(bound_field, parts["help"])
    offered = f"{bound_field.auto_id}-suggestions" if suggestions else None
    parts |= {
        "control": _control(
            bound_field,
            "input",
            extra,
            rows=3,
            aria_describedby=described_by,
            data_chips=True,
            data_suggestions=offered,
        ),
        "suggestions": suggestions,
        "offered": offered,
    }
    return render_to_string("components/chip_field.html", parts)


@register.simple_tag
def switch(
    name: str,
    *,
    checked: bool = False,
    label: str = "",
    id: str = "",  # noqa: A002
    disabled: bool = False,
    **extra: Any,
) -> SafeString:
    """A switch: it acts at once, so give it `hx_post`; a check box waits for the button.

    `label`: only where no `setting` names it; `id`: `id_<name>` unless given.

        {% switch "indexing" checked=state.indexing hx_post=url hx_target="#indexing" %}
    """
    attrs = attributes(
        extra,
        type="checkbox",
        role="switch",
        name=name,
        id=id or f"id_{name}",
        checked=checked,
        disabled=disabled,
        aria_label=label or None,
        **{"class": "switch"},
    )
    return fill("<input{}>", attrs)
