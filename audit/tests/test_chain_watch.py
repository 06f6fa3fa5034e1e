"""The daily look, the command, and who is told what."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from audit.actions import Action
from audit.cutting import cut
from audit.models import Entry, Outcome
from audit.services import record
from audit.tasks import check_now, verify_and_mail_head
from audit.tests.chains import make_history, sql, unguarded
from audit.watch import kept_anchors, last_verification

pytestmark = pytest.mark.django_db

KEEPER = "keeper@elsewhere.example"
NEW = "YW5vdGhlciBrZXkgb2YgZXhhY3RseSAzMiBieXRlcyE="


def command(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("verify_audit_log", *arguments, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def spoil(position: int) -> None:
    sql("UPDATE audit_entry SET target = 'x' WHERE position = %s", position)


def test_an_intact_log_is_told_with_its_head():
    make_history(3)
    status, text = command()
    assert status == 0
    assert "Intact: every entry is as it was written." in text
    assert "Entries checked: 3" in text
    assert "Last good row: position 6" in text
    assert "changed the routing rule rule 3: Done" in text


def test_a_log_that_was_tampered_with_says_where_and_up_to_where_it_is_good():
    make_history(3)
    spoil(3)
    status, text = command()
    assert status == 1
    assert "Tampered with: changed. The entry “system changed the routing rule x” was" in text
    assert "Last good row: position 2" in text


def test_without_a_key_the_status_says_that_nobody_can_tell(settings):
    make_history(1)
    settings.ENCRYPTION_KEYS = [NEW]
    status, text = command()
    assert status == 3
    assert "Cannot be checked" in text


def test_an_empty_log_is_good():
    assert command()[0] == 0


def test_programs_get_json():
    make_history(2)
    status, text = command("--json")
    told = json.loads(text)
    assert (status, told["verdict"], told["entries"], told["finding"]) == (0, "good", 2, None)
    assert told["last_good"]["position"] == 4
    spoil(3)
    status, text = command("--json")
    told = json.loads(text)
    assert (status, told["verdict"], told["finding"]["kind"]) == (1, "tampered", "changed")


def test_a_head_from_an_earlier_mail_is_compared():
    make_history(2)
    told = json.loads(command("--json")[1])
    make_history(1)
    assert command("--head", told["head"])[0] == 0
    assert command("--head", f"4:{told['link']}")[0] == 0
    status, text = command("--head", f"4:{'0' * 64}")
    assert status == 1
    assert "end cut off" in text
    assert command("--head", f"99:{'0' * 64}")[0] == 1
    assert command("--head", f"4:{'0' * 64}", "--head", told["head"])[0] == 1, "both, not the last"


@pytest.mark.parametrize("head", ["", "12", "x:y", "1:abc", f"0:{'0' * 64}", f"-1:{'0' * 64}"])
def test_a_head_that_is_none_is_refused(head):
    with pytest.raises(CommandError, match="write it as in the mail") as refusal:
        command(f"--head={head}")
    assert refusal.value.returncode == 2


def test_a_head_older_than_a_cut_is_refused(time_machine):
    now = timezone.now()
    time_machine.move_to(now - timedelta(days=9))
    make_history(2)
    head = json.loads(command("--json")[1])["head"]
    time_machine.move_to(now)
    cut(before=now - timedelta(days=1))
    with pytest.raises(CommandError, match="Compare with a newer head") as refusal:
        command("--head", head)
    assert refusal.value.returncode == 2


def test_the_daily_look_is_kept_and_its_head_mailed(settings, mailoutbox, owner):
    settings.AUDIT_HEAD_MAIL = [KEEPER]
    make_history(2)
    verify_and_mail_head()
    kept = last_verification()
    assert (kept.verdict, kept.entries, kept.sentence) == ("good", 2, "")
    assert [mail.to for mail in mailoutbox] == [[KEEPER]]
    assert kept.head in mailoutbox[0].body
    assert command("--head", kept.head)[0] == 0
    assert not Entry.objects.filter(action=Action.AUDIT_BROKEN).exists()


def test_a_finding_is_recorded_and_told_once_to_every_admin(mailoutbox, owner, admin, viewer):
    make_history(3)
    spoil(3)
    verify_and_mail_head()
    verify_and_mail_head()
    assert sorted(mail.to[0] for mail in mailoutbox) == sorted([owner.email, admin.email])
    assert "was changed, at position 3" in mailoutbox[0].body
    entry = Entry.objects.get(action=Action.AUDIT_BROKEN)
    assert "was changed, at position 3" in entry.target
    spoil(1)
    verify_and_mail_head()
    assert len(mailoutbox) == 4
    assert Entry.objects.filter(action=Action.AUDIT_BROKEN).count() == 2


def test_a_forged_note_of_the_last_check_silences_no_alarm(mailoutbox, owner):
    """It says that admins know of what is found, or has a head that is none."""
    make_history(3)
    verify_and_mail_head()
    spoil(3)
    sql("UPDATE audit_verification SET kind = 'changed', position = 3, is_told = %s", True)
    assert command()[0] == 1
    sql("UPDATE audit_verification SET head = 'x:y'")
    assert command()[0] == 1
    verify_and_mail_head()
    assert len(mailoutbox) == 1
    assert Entry.objects.filter(action=Action.AUDIT_BROKEN).count() == 1


def test_an_alarm_goes_out_also_where_the_log_takes_no_entry_any_more(mailoutbox, owner):
    make_history(3)
    spoil(3)
    first = Outcome.objects.get(position=2)
    fields = "position = %s, link = %s, mac = %s"
    sql(f"UPDATE audit_chain SET {fields}", first.position, first.link, first.mac)
    with pytest.raises(IntegrityError), transaction.atomic():
        record(Action.COPY_REFRESHED)
    with pytest.raises(IntegrityError):
        verify_and_mail_head()
    assert len(mailoutbox) == 1


def test_a_check_that_somebody_asks_for_mails_no_head_but_an_alarm(settings, mailoutbox, owner):
    settings.AUDIT_HEAD_MAIL = [KEEPER]
    make_history(2)
    check_now()
    assert not mailoutbox
    spoil(1)
    check_now()
    check_now()
    assert [mail.to for mail in mailoutbox] == [[owner.email]]


def test_an_alarm_that_no_mail_server_took_is_sent_again(mailoutbox, owner, monkeypatch):
    make_history(1)
    spoil(1)
    monkeypatch.setattr("purelymanage.notifications.audit.notify_admins", lambda **_: False)
    verify_and_mail_head()
    monkeypatch.undo()
    assert not last_verification().is_told
    verify_and_mail_head()
    assert len(mailoutbox) == 1
    assert last_verification().is_told


def test_a_missing_key_is_told_but_is_no_tampering(mailoutbox, owner, settings):
    make_history(1)
    settings.ENCRYPTION_KEYS = [NEW]
    verify_and_mail_head()
    assert last_verification().verdict == "unknown"
    assert len(mailoutbox) == 1
    assert not Entry.objects.filter(action=Action.AUDIT_BROKEN).exists()


def test_the_kept_head_finds_an_end_that_was_cut_off_and_a_head_that_was_moved(owner):
    make_history(3)
    verify_and_mail_head()
    sql("DELETE FROM audit_outcome WHERE position = 6")
    row = Entry.objects.get(position=5)
    sql("UPDATE audit_chain SET position = 5, link = %s, mac = %s", row.link, row.mac)
    verify_and_mail_head()
    assert (last_verification().kind, command()[0]) == ("end cut off", 1)
    verify_and_mail_head()
    assert Entry.objects.filter(action=Action.AUDIT_BROKEN).count() == 1


def test_what_is_too_old_is_cut_only_from_a_log_that_is_intact(settings, time_machine, owner):
    settings.AUDIT_RETENTION_DAYS = 30
    now = timezone.now()
    time_machine.move_to(now - timedelta(days=40))
    make_history(2)
    time_machine.move_to(now)
    make_history(1)
    with_fault = "UPDATE audit_entry SET target = {} WHERE position = 5"
    sql(with_fault.format("'x'"))
    verify_and_mail_head()
    assert Entry.objects.filter(position=1).exists()
    sql(with_fault.format("'rule 1'"))
    verify_and_mail_head()
    assert not Entry.objects.filter(position__lte=4).exists()
    assert command()[0] == 0
    assert kept_anchors()


def test_rows_that_are_given_an_older_date_after_the_check_are_not_cut(settings):
    """By a trigger, which comes between the check and the cut every time."""
    settings.AUDIT_RETENTION_DAYS = 30
    make_history(3)
    backdate = "".join(
        f"UPDATE audit_{table} SET at = '2001-01-01 00:00:00'; " for table in ("entry", "outcome")
    )
    with unguarded(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "CREATE FUNCTION backdate() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN {backdate} RETURN NULL; END $$"
            )
            backdate = "FOR EACH ROW EXECUTE FUNCTION backdate()"
        else:
            backdate = f"BEGIN {backdate} END"
        cursor.execute(f"CREATE TRIGGER backdate AFTER INSERT ON audit_verification {backdate}")
        verify_and_mail_head()
    assert Entry.objects.count() == 3
    assert command()[0] == 1
