"""The site, and a page that asks before a deletion as the apps above do."""

from __future__ import annotations

from django.urls import path
from django.views.decorators.http import require_http_methods

from purelymanage.core.permissions import admin_required
from purelymanage.deletions.impact import Group, Impact
from purelymanage.deletions.models import DeletionKind
from purelymanage.deletions.views import confirm_deletion
from purelymanage.urls import urlpatterns as of_the_site

NAMES = [f"rule-{number}@lindenhof.example" for number in range(61)]


@admin_required
@require_http_methods(["GET", "POST"])
def delete(request, key):
    return confirm_deletion(
        request,
        kind=DeletionKind.MAILBOX,
        key=key,
        impact=Impact(
            groups=[Group.of("61 rules deliver here", NAMES), Group.of("No rule", [])],
            warnings=["It is the only one."],
        ),
        back="/mailboxes/",
        crumbs=[("Mailboxes", "/mailboxes/"), (key, "/mailboxes/1/")],
        must_type="xn--bcher-kva.example" if request.GET.get("typed") else "",
    )


urlpatterns = [*of_the_site, path("delete/<key>/", delete)]
