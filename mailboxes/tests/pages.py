"""Words and helpers of the tests of mailbox pages."""

from __future__ import annotations

PASSWORD = "h7@Kd2mQv%9sTzX4pLw#"
DOMAIN = "lindenhof.example"
LEA = f"lea@{DOMAIN}"
LIST, ADD = "/mailboxes/", "/mailboxes/new/"
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/mailboxes/"}


def page(response):
    return response.content.decode()


def typed(**changes):
    return {"local_part": "lea", "domain": DOMAIN, "password": PASSWORD} | changes
