"""More than ten deletions by one person within an hour: everyone who administers learns of it."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import connections
from django.utils import timezone

from accounts.models import User
from audit.actions import Action
from audit.models import Entry
from purelymanage.core.context import SYSTEM, acting_as, person
from purelymanage.core.roles import Role
from purelymanage.dashboard.attention import needs_attention
from purelymanage.dashboard.selectors import home
from purelymanage.deletions import alarm, tasks
from purelymanage.deletions.freezing import freeze_person, undo_freeze
from purelymanage.deletions.models import Alarm, DeletionKind, DeletionState, PendingDeletion
from purelymanage.deletions.services import cancel_deletion, schedule_deletion
from purelymanage.jobs.schedules import SCHEDULES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]


@pytest.fixture(autouse=True)
def sent(monkeypatch):
    """What went to the queue."""
    messages = []
    monkeypatch.setattr(
        "purelymanage.jobs.queue.async_task", lambda task, **_: messages.append(task)
    )
    return messages


def schedule(user, count, *, first=1):
    with acting_as(person(user) if user else SYSTEM):
        return [
            schedule_deletion(kind=DeletionKind.RULE, key=str(number))
            for number in range(first, first + count)
        ]


def move_back(**age):
    """Everything so far happened that much earlier."""
    for row in PendingDeletion.objects.all():
        PendingDeletion.objects.filter(pk=row.pk).update(
            requested_at=row.requested_at - timedelta(**age)
        )
    for row in Alarm.objects.all():
        Alarm.objects.filter(pk=row.pk).update(raised_at=row.raised_at - timedelta(**age))


def alarm_items(user=None):
    return [item for item in needs_attention(home(), user=user) if item.key.startswith("alarm")]


def test_ten_alarm_nobody_and_the_eleventh_everyone(
    admin, owner, viewer, sent, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        schedule(admin, 10)
    assert not Alarm.objects.exists()
    assert alarm.TELL not in sent
    with django_capture_on_commit_callbacks(execute=True):
        schedule(admin, 1, first=11)
    assert Alarm.objects.get().person == admin
    assert sent == [alarm.TELL]
    assert mail.outbox == []  # it leaves with a worker, not with the request
    tasks.tell_alarms()
    assert sorted(message.to[0] for message in mail.outbox) == [admin.email, owner.email]


def mail_to(somebody: User) -> EmailMultiAlternatives:
    return next(message for message in mail.outbox if message.to == [somebody.email])


def test_the_mail_says_who_how_many_what_first_and_where(admin, owner, settings):
    settings.BASE_URL = "https://panel.example"
    schedule(admin, 13)
    tasks.tell_alarms()
    message = mail_to(owner)
    due = PendingDeletion.objects.first().due_at
    html = message.alternatives[0].content
    assert message.subject == "Many deletions: Adam has scheduled 13"
    for text in (message.body, html):
        assert f"Adam ({admin.email}) has scheduled 13 deletions since" in text
        assert f"{due:%H:%M} UTC" in text
        assert "rule 1\n" in text or "<li>rule 1</li>" in text
        assert "rule 11" not in text
        assert "and 3 more" in text
        assert "https://panel.example/deletions/" in text
        assert f"https://panel.example/deletions/freeze/{admin.pk}/" in text


@pytest.mark.parametrize("role", [Role.ADMIN, Role.OWNER])
def test_whoever_scheduled_them_is_told_what_to_do_themselves(admin, owner, settings, role):
    settings.BASE_URL = "https://panel.example"
    User.objects.filter(pk=admin.pk).update(role=role)
    schedule(admin, 13)
    tasks.tell_alarms()
    message = mail_to(admin)
    assert message.subject == "Many deletions: you have scheduled 13"
    for text in (message.body, message.alternatives[0].content):
        assert f"with your account, {admin.email}" in text
        assert "https://panel.example/accounts/password/change/" in text
        assert "/deletions/freeze/" not in text
        assert "and 3 more" in text


def test_names_are_text_in_the_mail_and_break_no_header(admin, owner):
    User.objects.filter(pk=admin.pk).update(name="A <b>\nBcc: x@evil.example")
    schedule(User.objects.get(pk=admin.pk), 11)
    assert tasks.tell_alarms() is None
    message = mail_to(owner)
    assert "\n" not in message.subject
    assert "<b>" in message.body
    assert "<b>" not in message.alternatives[0].content


def test_one_alarm_for_each_person_and_hour(admin, owner):
    schedule(admin, 40)
    schedule(owner, 11, first=100)
    tasks.tell_alarms()
    tasks.tell_alarms()
    assert sorted(Alarm.objects.values_list("person_name", flat=True)) == ["Adam", "Olga"]
    assert len(mail.outbox) == 4
    move_back(minutes=61)
    schedule(admin, 10, first=200)
    assert Alarm.objects.count() == 2
    schedule(admin, 1, first=300)
    assert Alarm.objects.count() == 3


def test_eleven_over_more_than_an_hour_alarm_nobody(admin):
    schedule(admin, 6)
    move_back(minutes=61)
    schedule(admin, 6, first=10)
    assert not Alarm.objects.exists()


def test_cancelled_ones_count_too(admin):
    for deletion in schedule(admin, 10):
        cancel_deletion(deletion=deletion)
    schedule(admin, 1)
    assert Alarm.objects.exists()


def test_what_the_system_deletes_alarms_nobody(owner):
    schedule(None, 30)
    assert not Alarm.objects.exists()


def test_it_is_on_record_once(admin):
    schedule(admin, 15)
    entry = Entry.objects.get(action=Action.DELETION_ALARM)
    assert (entry.target, entry.actor_kind, entry.outcome.result) == (admin.email, "system", "ok")


def test_a_mail_server_that_is_down_gets_it_later(admin, monkeypatch):
    schedule(admin, 11)
    with monkeypatch.context() as patch:
        patch.setattr(
            "django.core.mail.EmailMultiAlternatives.send",
            lambda _self: (_ for _ in ()).throw(ConnectionRefusedError()),
        )
        tasks.tell_alarms()
    assert Alarm.objects.get().told_at is None
    assert not mail.outbox
    tasks.tell_alarms()
    assert len(mail.outbox) == 2
    assert Alarm.objects.get().told_at is not None
    assert alarm.TELL in {item.task for item in SCHEDULES}


def test_told_late_it_says_that_nothing_is_still_to_come(admin):
    schedule(admin, 11)
    PendingDeletion.objects.update(state=DeletionState.CANCELLED)
    tasks.tell_alarms()
    assert "None of them is still to come." in mail.outbox[0].body
    assert "None of them is still to come." in mail.outbox[0].alternatives[0].content


def test_after_a_freeze_the_next_eleven_alarm_again_within_the_hour(admin, owner):
    schedule(admin, 11)
    with acting_as(person(owner)):
        freeze_person(person=admin)
    schedule(admin, 10, first=50)
    assert Alarm.objects.count() == 1
    schedule(admin, 1, first=70)
    assert Alarm.objects.count() == 2


def test_the_dashboard_offers_owners_to_freeze_while_it_lasts(admin, owner):
    schedule(admin, 11)
    (item,) = alarm_items(owner)
    assert (item.tone, item.url) == ("bad", f"/deletions/freeze/{admin.pk}/")
    assert item.title == "Adam has scheduled many deletions"
    assert [item.url for item in alarm_items(admin)] == ["/deletions/"]
    for deletion in PendingDeletion.objects.all():
        cancel_deletion(deletion=deletion)
    assert alarm_items(owner) == []


def test_a_freeze_answers_the_alarm_also_when_it_is_undone(admin, owner):
    schedule(admin, 11)
    with acting_as(person(owner)):
        freeze = freeze_person(person=admin)
        assert alarm_items(owner) == []
        undo_freeze(freeze=freeze)
    assert PendingDeletion.objects.pending().count() == 11
    assert alarm_items(owner) == []


def test_an_old_alarm_does_not_come_back_with_one_new_deletion(admin, owner):
    schedule(admin, 11)
    PendingDeletion.objects.update(state=DeletionState.EXECUTED)
    move_back(hours=3)
    schedule(admin, 1, first=50)
    assert alarm_items(owner) == []


def test_two_alarms_of_one_person_are_one_line(admin, owner):
    schedule(admin, 11)
    move_back(hours=2)
    schedule(admin, 11, first=50)
    assert Alarm.objects.count() == 2
    assert len(alarm_items(owner)) == 1


def test_an_owner_is_not_offered_to_freeze_themselves(owner):
    schedule(owner, 11)
    assert [item.url for item in alarm_items(owner)] == ["/deletions/"]


@pytest.mark.django_db(transaction=True)
def test_of_twenty_at_once_one_raises_it_and_one_mail_goes_to_each(rules):
    boss = User.objects.create_user(email="o@panel.example", name="O", role=Role.OWNER)
    start = threading.Barrier(20)

    def run(number):
        start.wait(timeout=30)
        try:
            with acting_as(person(boss)):
                schedule_deletion(kind=DeletionKind.RULE, key=str(number))
            tasks.tell_alarms()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[number]) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert PendingDeletion.objects.count() == 20
    assert Alarm.objects.count() == 1
    assert Entry.objects.filter(action=Action.DELETION_ALARM).count() == 1
    tasks.tell_alarms()
    assert len(mail.outbox) == 1


def test_labels_are_those_that_are_due_first(admin):
    schedule(admin, 12)
    last = PendingDeletion.objects.get(key="12")
    PendingDeletion.objects.filter(pk=last.pk).update(due_at=timezone.now())
    tasks.tell_alarms()
    lines = [line for line in mail.outbox[0].body.splitlines() if line.startswith("- ")]
    assert lines[0] == "- rule 12"
