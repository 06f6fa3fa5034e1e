"""What pages are measured against: fifty rows from one query, behind the same middleware.

It is what one would write first: a template, a table, a link in each row, no layout around it.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

from mailboxes.models import Mailbox
from purelymanage.urls import urlpatterns as of_the_site

ROWS = 50
TEMPLATE = engines["django"].from_string(
    """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Mailboxes</title></head>
<body>
<h1>Mailboxes</h1>
<table>
  <thead><tr><th>Address</th><th>Domain</th><th>Known since</th></tr></thead>
  <tbody>
    {% for mailbox in mailboxes %}
      <tr>
        <td><a href="{% url "mailboxes:detail" mailbox.pk %}">{{ mailbox.address }}</a></td>
        <td>{{ mailbox.domain.name }}</td>
        <td>{{ mailbox.created_at|date:"j M Y, H:i" }}</td>
      </tr>
    {% endfor %}
  </tbody>
</table>
</body>
</html>
"""
)


def bare(request: HttpRequest) -> HttpResponse:
    mailboxes = Mailbox.objects.select_related("domain")[:ROWS]
    return HttpResponse(TEMPLATE.render({"mailboxes": mailboxes}, request))


urlpatterns = [*of_the_site, path("bare/", bare)]
