"""What only the demo offers."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from purelymanage.core.addresses import shown_domain
from purelymanage.core.errors import InvalidError
from purelymanage.core.http import Request, go_to, way_back
from purelymanage.core.limits import rate_limited
from purelymanage.core.permissions import admin_required
from purelymanage.demo import services
from purelymanage.demo.forms import PublishForm


@admin_required
@rate_limited("ask")
@require_POST
def publish(request: Request) -> HttpResponse:
    """Play the DNS provider: publish records of a domain in the demo's DNS."""
    if not settings.DEMO:
        raise Http404
    form = PublishForm(request.POST)
    if not form.is_valid():
        raise InvalidError(_("Name a domain, like example.com, and which records to publish."))
    services.publish_records(**form.cleaned_data)
    domain = shown_domain(form.cleaned_data["domain"])
    messages.info(
        request,
        _("Published in the demo's DNS for %(domain)s. Every check from now on sees it.")
        % {"domain": domain},
    )
    return go_to(request, way_back(request, otherwise="/domains/"))
