"""The one download, and what is erased by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.actions import Action
from audit.models import Entry
from mailboxes.batches import services
from mailboxes.batches.models import MailboxBatch, MailboxBatchRow, RowState
from mailboxes.batches.selectors import (
    batches_needing_a_person,
    password_lines,
    progress_of,
    unfinished_batches,
)
from mailboxes.batches.tests.helpers import DOMAIN, HEADER, drain, preview, start, table
from mailboxes.tasks import forget_old_batches
from purelymanage.core.errors import RefusedError

pytestmark = pytest.mark.django_db
OWN = "A password; of my own"


@pytest.fixture
def finished(admin, domain):
    batch = start(admin, f'{HEADER}lea,{DOMAIN},\nown,{DOMAIN},"{OWN}"\nbad,other.example,\n')
    drain()
    batch.refresh_from_db()
    return batch


def kept(batch) -> int:
    return batch.rows.exclude(password="").count()


def take(batch) -> list[tuple[str, ...]]:
    """Download, to the last piece."""
    rows = services.take_passwords(batch=batch)
    lines = list(password_lines(rows, batch))
    list(services.erased_once_sent([b"all"], batch=batch, rows=rows))
    return lines


def test_new_passwords_leave_once_and_are_erased_with_that(finished, purelymail):
    lines = take(finished)
    password = lines[0][3]
    assert purelymail.state.verify_password(f"lea@{DOMAIN}", password)
    assert lines[0] == ("lea", DOMAIN, f"lea@{DOMAIN}", password, "Created")
    assert lines[1][3:] == ("", "Created with the password from your file.")
    assert "not one of your domains" in lines[2][4]
    assert kept(finished) == 0
    with pytest.raises(RefusedError, match="downloaded already"):
        services.take_passwords(batch=finished)
    assert Entry.objects.filter(action=Action.BATCH_DOWNLOADED).count() == 2


def test_while_they_are_on_their_way_nobody_else_gets_them(finished):
    services.take_passwords(batch=finished)
    with pytest.raises(RefusedError, match="are being downloaded"):
        services.take_passwords(batch=finished)


@pytest.mark.parametrize("sent", [1, 2])
def test_a_transfer_that_breaks_off_loses_nothing(finished, sent):
    rows = services.take_passwords(batch=finished)
    broken = services.erased_once_sent([b"first", b"last"], batch=finished, rows=rows)
    for _piece in range(sent):
        next(broken)
    broken.close()  # the web server could not send the piece it took last
    assert kept(finished) == 1
    assert len(take(finished)) == 3


def test_a_mailbox_made_during_the_transfer_keeps_its_password(finished):
    rows = services.take_passwords(batch=finished)
    late = MailboxBatchRow(
        batch=finished, line=9, local_part="late", domain_name=DOMAIN, is_generated=True
    )
    late.state, late.password = RowState.DONE, "only we know it"
    late.save()
    list(services.erased_once_sent([b"all"], batch=finished, rows=rows))
    assert kept(finished) == 1


def test_a_transfer_whose_process_died_can_be_repeated_after_five_minutes(finished):
    MailboxBatch.objects.update(downloaded_at=timezone.now() - timedelta(minutes=4))
    with pytest.raises(RefusedError):
        services.take_passwords(batch=finished)
    MailboxBatch.objects.update(downloaded_at=timezone.now() - timedelta(minutes=6))
    assert [batch.pk for batch in unfinished_batches()] == [finished.pk]
    assert len(take(finished)) == 3
    assert not unfinished_batches()


def test_what_nobody_came_back_to_is_erased_after_a_week(admin, finished):
    waiting, stopped = preview(admin, table(1)), start(admin, f"{HEADER}ben,{DOMAIN},\n")
    MailboxBatch.objects.filter(pk=stopped.pk).update(resume_at=None, stopped_because="token")
    for age, alive in ((6.9, 3), (7.1, 2)):
        then = timezone.now() - timedelta(days=age)
        MailboxBatch.objects.filter(pk=finished.pk).update(ended_at=then)
        MailboxBatch.objects.filter(pk=waiting.pk).update(created_at=then)
        MailboxBatch.objects.filter(pk=stopped.pk).update(started_at=then)
        forget_old_batches()
        assert MailboxBatch.objects.count() == alive
    assert kept(finished) == kept(stopped) == 0
    stopped.refresh_from_db()
    assert stopped.state == "cancelled"


def test_batches_are_kept_as_long_as_jobs_are(finished, settings):
    settings.JOB_RETENTION_DAYS = 30
    for age, number in ((29, 1), (31, 0)):
        MailboxBatch.objects.update(ended_at=timezone.now() - timedelta(days=age))
        forget_old_batches()
        assert MailboxBatch.objects.count() == number


def test_discarding_a_preview_leaves_nothing_behind(admin, domain):
    batch = preview(admin, table(3))
    services.discard(batch=batch)
    assert not MailboxBatch.objects.exists()
    assert not batch.rows.model.objects.exists()


def test_pages_learn_in_two_queries_what_is_unfinished(admin, domain, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert not unfinished_batches()
    batch = start(admin, table(4) + "x,other.example,\n")
    with django_assert_num_queries(2):
        [found] = unfinished_batches()
    assert (found.pk, found.settled, found.total) == (batch.pk, 0, 4)
    assert not batches_needing_a_person()
    MailboxBatch.objects.update(resume_at=None, stopped_because="The token was refused.")
    with django_assert_num_queries(1):
        [stopped] = batches_needing_a_person()
    assert stopped.text == "The token was refused."


def test_passwords_that_nobody_took_need_a_person(finished, django_assert_num_queries):
    with django_assert_num_queries(1):
        [waiting] = batches_needing_a_person()
    assert waiting.title == "New passwords wait to be downloaded: new.csv"
    assert [batch.pk for batch in unfinished_batches()] == [finished.pk]
    take(finished)
    assert not batches_needing_a_person()
    assert not unfinished_batches()


def test_the_time_left_is_told_once_half_a_minute_has_passed(admin, domain):
    batch = start(admin, table(4))
    batch.rows.filter(line__lte=3).update(state="done")
    batch.refresh_from_db()
    assert progress_of(batch).seconds_left is None
    batch.started_at = timezone.now() - timedelta(seconds=60)
    assert progress_of(batch).seconds_left == pytest.approx(60, abs=2)
