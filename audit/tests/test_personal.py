"""Where somebody can be reached in private is not for those who only look."""

from __future__ import annotations

from contextlib import suppress

import pytest

from audit.actions import Action
from audit.models import Entry
from audit.personal import reason_without_personal, without_personal
from audit.services import audited
from purelymanage.core.errors import RefusedError

LEA = "lea@lindenhof.example"
HOME, PHONE, WHOSE = "ada.home@private.example", "+49 170 1234567", "Ada's mother"
SECRETS = (HOME, "ada.home", PHONE, "1234567", WHOSE, "mother")
PAGES = ("/settings/audit/", "/settings/audit/export/csv/", "/settings/audit/export/json/")


@pytest.fixture
def history(db):
    """Methods that were saved, changed, refused and removed, as the log has always had them."""
    first = {"type": "email", "target": HOME, "description": WHOSE, "allow_mfa_reset": True}
    second = {**first, "type": "phone", "target": PHONE}
    with audited(Action.RECOVERY_SAVED, target=LEA, after=first):
        pass
    with (
        suppress(RefusedError),
        audited(Action.RECOVERY_SAVED, target=LEA, before=first, after=second),
    ):
        raise RefusedError(f"PurelyMail said yes, but does not list {PHONE} or {HOME}.")
    with audited(Action.RECOVERY_REMOVED, target=LEA, before=first) as change:
        change.after.update(second)
    return Entry.objects.filter(action__startswith="recovery.")


def pages() -> list[str]:
    return [
        *PAGES,
        *(f"/settings/audit/{pk}/" for pk in Entry.objects.values_list("pk", flat=True)),
    ]


def text_of(client, path: str, **query: str) -> str:
    response = client.get(path, query)
    assert response.status_code == 200, path
    return response.getvalue().decode()


def test_viewers_see_on_no_page_and_in_no_file_where_somebody_is_reached(viewer_client, history):
    for path in pages():
        text = text_of(viewer_client, path)
        assert not [secret for secret in SECRETS if secret in text], path
    log = text_of(viewer_client, "/settings/audit/")
    assert "a…@private.example" in log
    assert "…67" in log
    assert LEA in log


def test_whoever_may_change_it_sees_it(admin_client, owner_client, history):
    for client in (admin_client, owner_client):
        for path in PAGES:
            text = text_of(client, path)
            assert HOME in text, path
            assert PHONE in text, path


@pytest.mark.parametrize("text", [HOME, "private.example", "1234567", "mother", f'"{PHONE}"'])
@pytest.mark.parametrize("qualifier", ["", "target:", "actor:"])
def test_no_search_tells_whether_it_is_there(viewer_client, history, text, qualifier):
    found = text_of(viewer_client, "/settings/audit/export/json/", q=f"{qualifier}{text}")
    assert found == "[]\n"


def test_nothing_else_of_the_log_is_masked():
    facts = {"target": HOME, "role": "viewer"}
    assert without_personal(Action.SERVER_CREATED, facts) == facts
    assert reason_without_personal(Action.SERVER_CREATED, HOME, target="") == HOME


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("ada@example.com", "a…@example.com"),
        ("ä@bücher.example", "ä…@bücher.example"),
        ("+1 (202) 555-0143", "…43"),
        ("0170 1234567", "…67"),
        ("something else", "…"),
        ("12345", "…"),
        ("", ""),
        (None, None),
    ],
)
def test_what_is_left_of_a_target(stored, shown):
    masked = without_personal(Action.RECOVERY_SAVED, {"target": stored, "type": "email"})
    assert masked == {"target": shown, "type": "email"}


def test_a_reason_keeps_the_mailbox_and_loses_the_rest():
    told = f"“{HOME}” and {PHONE}, not {LEA}: PurelyMail answered 502."
    assert reason_without_personal(Action.RECOVERY_SAVED, told, target=LEA) == (
        f"“a…@private.example” and …67, not {LEA}: PurelyMail answered 502."
    )
