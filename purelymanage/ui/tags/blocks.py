"""What a page is built of: head, panels, banners, tabs, dialogs, menus."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.template import Context, Library
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext as _

from purelymanage.ui.attributes import attributes, classes, fill
from purelymanage.ui.icons import COPYING, draw, draw_copy

register = Library()


def _rendered(content: str) -> SafeString:
    """What stands inside a block tag: the engine has escaped it already."""
    return SafeString(content)  # nosec B703


@register.simple_block_tag
def page_head(
    content: str,
    *,
    title: str,
    description: str = "",
    badge: str = "",
    crumbs: Iterable[tuple[str, str]] = (),
) -> SafeString:
    """The head of a page, with its one `h1`; inside stand the actions: quiet, plain, primary.

    `description`: one sentence; `badge`: made with `{% badge … as name %}`; `crumbs`: the
    parents only, as `(label, url)`.

        {% page_head title=_("Mailboxes") description=summary %}
          {% button _("New mailbox") icon="plus" kind="primary" href=add_url grow=True %}
        {% endpage_head %}
    """
    context = {
        "title": title,
        "description": description,
        "badge": badge,
        "crumbs": list(crumbs),
        "actions": _rendered(content.strip()),
    }
    return render_to_string("components/page_head.html", context)


@register.simple_block_tag
def card(
    content: str,
    *,
    title: str = "",
    label: str = "",
    meta: str = "",
    href: str = "",
    link: str = "",
    actions: str = "",
    id: str = "",  # noqa: A002  the name of HTML's attribute
    body: str | None = None,
    **extra: Any,
) -> SafeString:
    """A panel. Panels never nest.

    `title`: its `h2`, or `label` for a panel without a head; `meta`: a quiet sentence beside it;
    `href` and `link`: where the head leads; `actions`: buttons made with `{% button … as name %}`;
    `body`: classes of a padded body around the content, such as "stack" or "form"; leave it out
    for tables, rows and other content that reaches the edges.

        {% card title=_("Routing rules") href=rules_url link=_("All rules") %}…{% endcard %}
        {% card title=_("Options") body="stack" %}…{% endcard %}
    """
    heading = f"{id or slugify(str(title), allow_unicode=True) or 'panel'}-title"
    context = {
        "title": title,
        "heading": heading,
        "meta": meta,
        "href": href,
        "link": link,
        "actions": actions,
        "body": body,
        "content": _rendered(content),
        "attributes": attributes(
            extra,
            id=id or None,
            **{"class": "panel"},
            aria_labelledby=heading if title else None,
            aria_label=label or None,
        ),
    }
    return render_to_string("components/card.html", context)


@register.simple_block_tag
def setting(content: str, label: str, help: str = "", control: str = "") -> SafeString:  # noqa: A002
    """A row of settings: name, consequence in words, and the control inside. Stands in a panel.

    `control`: the id of the control, for the label.

        {% setting _("Index for search") help_text control="indexing" %}
          {% switch name="indexing" checked=state.indexing hx_post=url %}
        {% endsetting %}
    """
    return render_to_string(
        "components/setting.html",
        {"label": label, "help": help, "control": control, "content": _rendered(content)},
    )


@register.simple_block_tag
def empty(
    content: str, *, icon: str, title: str, text: str = "", tone: str = "", heading: str = "h3"
) -> SafeString:
    """Where a list would stand: nothing yet, nothing matches, or `tone="bad"`: not loaded.

    Inside stand the actions.

        {% empty icon="split" title=_("No routing rules yet") text=what_for %}
          {% button _("New rule") icon="plus" kind="primary" href=add_url %}
        {% endempty %}
    """
    context = {
        "icon": draw(icon),
        "title": title,
        "text": text,
        "tone": tone,
        "heading": heading,
        "actions": _rendered(content.strip()),
    }
    return render_to_string("components/empty.html", context)


BANNER_ICONS = {"info": "info", "ok": "circle-check", "warn": "triangle-alert", "bad": "circle-x"}


@register.simple_block_tag
def banner(
    content: str,
    *,
    tone: str = "info",
    title: str = "",
    icon: str = "",
    actions: str = "",
    css_class: str = "",
) -> SafeString:
    """A sentence across the page. `bad` interrupts a screen reader, `warn` and `ok` wait.

    `title`: the strong beginning; `actions`: made with `{% button … as name %}`.

        {% banner tone="warn" icon="cloud-off" title=since %}You see…{% endbanner %}
    """
    context = {
        "classes": classes("banner", tone, css_class),
        "role": {"bad": "alert", "info": ""}.get(tone, "status"),
        "icon": draw(icon or BANNER_ICONS[tone]),
        "title": title,
        "text": _rendered(content.strip()),
        "actions": actions,
    }
    return render_to_string("components/banner.html", context)


@register.simple_tag
def tabs(items: Iterable[tuple[str, str, bool, int | None]], label: str = "") -> SafeString:
    """Tabs that are links. `items`: `(label, url, is_current, count or None)`; `label` names them.

    {% tabs page_tabs label=_("Migrations") %}
    """
    return render_to_string("components/tabs.html", {"items": list(items), "label": label})


@register.simple_block_tag(takes_context=True)
def dialog(
    context: Context,
    content: str,
    *,
    id: str,  # noqa: A002  the name of HTML's attribute
    title: str,
    confirm: str = "",
    keep: str = "",
    action: str = "",
    form: str = "",
    kind: str = "danger",
    icon: str = "",
    opened: bool = False,
    **extra: Any,
) -> SafeString:
    """A question in front of the page. Escape is the safe answer.

    A button with `data_opens="<id>"` opens it; in an answer to htmx, `opened=True` does.
    `title`: the question; `confirm`: the verb that acts, `keep`: the safe answer, which has the
    focus; `action`: where it is sent by POST, with what stands inside the dialog; `form`: the
    id of a form elsewhere in the page that is sent instead, to `action` if that is given;
    `kind` and `icon`: of the acting button; other keyword arguments become attributes of it
    (`name="all"`) or, when they begin with `hx_`, of the dialog's own form.
    Without `confirm` there is only a button to close it.

        {% dialog id="delete" title=question action=url confirm=_("Delete…") keep=_("Keep it") %}
          <p>…</p>
        {% enddialog %}
    """
    on_form = {name: value for name, value in extra.items() if name.startswith("hx_")}
    on_button = {name: value for name, value in extra.items() if name not in on_form}
    if form:
        on_button |= {"form": form, "formaction": action or None}
    return render_to_string(
        "components/dialog.html",
        {
            "id": id,
            "title": title,
            "confirm": confirm,
            "keep": keep or _("Close"),
            "action": "" if form else action,
            "form_attributes": attributes(on_form),
            "button_attributes": attributes(on_button),
            "kind": kind,
            "opened": opened,
            "icon": draw(icon) if icon else "",
            "content": _rendered(content),
            "csrf_token": context.get("csrf_token", ""),
        },
    )


@register.simple_block_tag
def menu(
    content: str,
    *,
    id: str,  # noqa: A002  the name of HTML's attribute
    label: str,
    icon: str = "ellipsis",
    text: str = "",
    css_class: str = "",
) -> SafeString:
    """A button and the menu it opens; inside stand `menu_item`s, `<hr>` before the dangerous one.

    `label`: "More actions for …"; `text`: words on the button instead of the bare icon.

        {% menu id=menu_id label=more_label %}
          {% menu_item _("Open") icon="settings" href=url %}<hr>
          {% menu_item _("Delete…") icon="trash" danger=True data_opens="delete" %}
        {% endmenu %}
    """
    css = classes("btn" if text else "icon-btn", css_class)
    return fill(
        '<button class="{}" type="button" popovertarget="{}" aria-label="{}">{}{}</button>\n'
        '<div class="menu" id="{}" popover>{}</div>\n',
        css,
        id,
        label,
        draw(icon),
        text,
        id,
        _rendered(content),
    )


@register.simple_tag
def menu_item(
    text: str, *, icon: str, href: str = "", danger: bool = False, **extra: Any
) -> SafeString:
    """One line of a menu: a link with `href`, a button without. `danger` ones come last.

    {% menu_item _("Copy address") icon="copy" data_copy=mailbox.address %}
    """
    css = "bad" if danger else None
    drawn = draw_copy(icon) if COPYING & extra.keys() else draw(icon)
    if href:
        attrs = attributes(extra, href=href, **{"class": css})
        return fill("<a{}>{}{}</a>", attrs, drawn, text)
    attrs = attributes(extra, type=extra.pop("type", "button"), **{"class": css})
    return fill("<button{}>{}{}</button>", attrs, drawn, text)


@register.simple_block_tag
def toast(content: str, *, tone: str = "ok", actions: str = "") -> SafeString:
    """A sentence in the corner. Pages do not write it: messages become toasts after htmx requests.

    {% toast tone="bad" %}{% translate "The rule was not saved." %}{% endtoast %}
    """
    context = {
        "tone": tone,
        "role": "alert" if tone == "bad" else "",
        "icon": draw(BANNER_ICONS[tone]),
        "text": _rendered(content.strip()),
        "actions": actions,
    }
    return render_to_string("components/toast.html", context)


@register.simple_tag
def shown_once(title: str, value: str, note: str = "", heading: str = "h3") -> SafeString:
    """A secret in the answer to the POST that made it; it is stored nowhere.

    `title`: whose it is; `note`: what to know instead of our usual sentence; `heading`: h2 where
    it stands directly under the page's head.

        {% shown_once title=whose value=password %}
    """
    return render_to_string(
        "components/shown_once.html",
        {"title": title, "value": value, "note": note, "heading": heading},
    )
