"""Routing rules, from the local copy: list, create, edit, delete, and where an address goes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from domains.freshness import viewed
from domains.lists import render_list
from domains.models import Domain, Kind
from purelymanage.core.addresses import CONTROL, MAX_ADDRESS, shown_address, split_address
from purelymanage.core.http import Request, errors_on, go_to, render_page
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required, viewer_required
from purelymanage.deletions.models import DeletionKind
from purelymanage.deletions.registry import Facts
from purelymanage.deletions.selectors import ended_deletion, pending_deletion
from purelymanage.deletions.views import confirm_deletion
from routing import deletable, dossiers, selectors, services
from routing.forms import RuleForm, TraceForm
from routing.models import RoutingRule, RuleKind
from routing.picture import picture_around
from routing.telling import tell, verdicts
from routing.tracing import trace


@viewer_required
@require_GET
def rule_list(request: Request) -> HttpResponse:
    wanted = selectors.rule_filter(request)
    return render_list(
        request,
        "routing/rule_list.html",
        wanted=wanted,
        listed=selectors.rule_list(wanted),
        kind=Kind.RULES,
        unfinished=selectors.unfinished_edits(),
        state_choices=[("", _("All kinds")), *RuleKind.choices],
    )


@admin_required
@rate_limited("ask")
@require_http_methods(["GET", "POST"])
def rule_add(request: Request) -> HttpResponse:
    """With a `deletion` in its address the form is filled in from that dossier."""
    number = request.GET.get("deletion")
    facts = ended_deletion(DeletionKind.RULE, number).dossier if number is not None else None
    if request.method == "POST":
        return _take(request, None)
    if facts is not None:
        return _from_dossier(request, facts)
    initial = {
        "kind": request.GET.get("kind") or RuleKind.EXACT,
        "match": request.GET.get("match", "")[:MAX_ADDRESS],
        "domain": request.GET.get("domain") or selectors.busiest_domain(),
    }
    return _rule_form(request, RuleForm(initial=initial))


def _from_dossier(request: Request, facts: Facts) -> HttpResponse:
    """What the rule would do today stands beside it at once."""
    if not dossiers.is_domain_ours(facts):
        return _rule_form(request, RuleForm(), lost_domain=facts["domain"])
    typed = dossiers.typed(facts)
    as_typed = RuleForm(typed)
    report = selectors.report_on(as_typed.draft()) if as_typed.is_valid() else None
    return _rule_form(request, RuleForm(initial=typed), report=report, is_from_dossier=True)


@admin_required
@rate_limited("ask")
@require_http_methods(["GET", "POST"])
def rule_edit(request: Request, pk: int) -> HttpResponse:
    rule = get_object_or_404(RoutingRule.objects.select_related("domain"), pk=pk)
    services.refuse_shared(rule)
    if request.method == "GET":
        initial = {
            "kind": rule.kind,
            "match": rule.match_user,
            "domain": rule.domain.name,
            "targets": "\n".join(rule.targets),
        }
        report = selectors.sentence_of(rule)
        return _rule_form(request, RuleForm(initial=initial), rule=rule, report=report)
    return _take(request, rule)


def _take(request: Request, rule: RoutingRule | None) -> HttpResponse:
    """Save what was typed, unless something is wrong or has to be confirmed first."""
    form, report = RuleForm(request.POST), None
    if form.is_valid():
        draft = replace(form.draft(), pk=rule.pk if rule else 0)
        report = selectors.report_on(draft)
        if report.refusals:
            form.add_error(None, _("Nothing was saved. %s") % report.refusals[0].text)
        elif report.seal in ("", request.POST.get("anyway")):
            with errors_on(form):
                if rule:
                    saved = services.edit_rule(rule=rule, draft=draft)
                    said = _("%(rule)s is changed.")
                else:
                    saved = services.create_rule(draft=draft)
                    said = _("%(rule)s is in force.")
                messages.success(request, said % {"rule": shown_address(saved.source)})
                return go_to(request, reverse("routing:list"))
    context = {"report": report, "must_confirm": bool(report) and not form.errors}
    return _rule_form(request, form, rule=rule, status=422, **context)


def _rule_form(
    request: Request,
    form: RuleForm,
    *,
    rule: RoutingRule | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    context = {
        "form": form,
        "rule": rule,
        "report": None,
        "must_confirm": False,
        "lost_domain": "",
        "is_from_dossier": False,
        "crumbs": _crumbs(),
        "has_domains": Domain.objects.ours().exists(),
        "deletion": rule and pending_deletion(DeletionKind.RULE, str(rule.purelymail_id)),
        **more,
    }
    return render_page(request, "routing/rule_form.html", context, status=status)


@admin_required
@rate_limited("preview")
@require_POST
def rule_preview(request: Request) -> HttpResponse:
    """What the rule being typed will do. From the copy alone: it costs no call."""
    form, report = RuleForm(request.POST), None
    editing = request.GET.get("editing", "")
    pk = int(editing) if editing.isdecimal() and len(editing) < 19 else 0
    if form.is_valid():
        report = selectors.report_on(replace(form.draft(), pk=pk))
    wrong = [
        message
        for field in form.errors.as_data().values()
        for error in field
        if error.code != "required"
        for message in error.messages
    ]
    return render_page(request, "routing/preview.html", {"report": report, "wrong": wrong})


@admin_required
@rate_limited("ask")
@require_http_methods(["GET", "POST"])
def rule_delete(request: Request, pk: int) -> HttpResponse:
    rule = get_object_or_404(RoutingRule.objects.select_related("domain"), pk=pk)
    services.refuse_while_edited(rule)
    return confirm_deletion(
        request,
        kind=DeletionKind.RULE,
        key=str(rule.purelymail_id),
        impact=deletable.impact_of(rule),
        back=reverse("routing:list"),
        crumbs=_crumbs(),
    )


@viewer_required
@require_GET
def address_trace(request: Request) -> HttpResponse:
    """Where mail to an address goes. On the list the answer stands below the field."""
    form = TraceForm(request.GET if "address" in request.GET else None)
    context: dict[str, Any] = {"form": form, "crumbs": _crumbs(), "way": None}
    if form.is_valid():
        address = form.cleaned_data["address"]
        local_part, domain = split_address(address)
        picture = picture_around(domain)
        way = trace(address, picture)
        context |= {
            "way": way,
            "address": address,
            "told": tell(way.root),
            "verdicts": verdicts(way),
            "is_ours": domain in picture.own,
            "local_part": local_part,
            "domain": domain,
            "is_truncated": picture.is_truncated,
            "copy": viewed(Kind.RULES),
        }
    status = 422 if form.errors else 200
    return render_page(request, "routing/trace.html", context, fragment="answer", status=status)


@admin_required
@require_GET
def target_suggestions(request: Request) -> HttpResponse:
    """Options for the list under the field of targets."""
    typed = CONTROL.sub("", request.GET.get("q", "")).strip()[:MAX_ADDRESS]
    found = selectors.suggestions(typed)
    return render_page(request, "routing/suggestions.html", {"addresses": found})


def _crumbs() -> list[tuple[str, str]]:
    return [(_("Routing"), reverse("routing:list"))]
