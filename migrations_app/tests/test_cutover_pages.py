"""The pages of repeats and cut-overs."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from domains.models import RecordState
from migrations_app.models import Batch, CutOver, CutOverStep, MigrationJob, State
from migrations_app.services import cutovers
from migrations_app.tests.cutting_over import DOMAIN, batch_of, mx
from migrations_app.tests.factories import JobFactory
from migrations_app.tests.pages import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]


def url(name: str, *arguments: object) -> str:
    return reverse(f"migrations:{name}", args=arguments)


def page(client: Client, name: str, *arguments: object) -> str:
    response = client.get(url(name, *arguments))
    assert response.status_code == 200
    return text_of(response)


def test_a_cut_over_begins_on_the_page_of_its_batch(admin_client: Client) -> None:
    batch = batch_of()
    assert f"{url('cut_over_begin')}?batch={batch.pk}" in page(admin_client, "batch", batch.pk)
    form = text_of(admin_client.get(url("cut_over_begin"), {"batch": batch.pk}))
    assert f'<option value="{batch.pk}" selected>' in form
    sent = {"batch": batch.pk, "every_hours": 3}
    response = admin_client.post(url("cut_over_begin"), sent)
    cut_over = CutOver.objects.get()
    assert response["Location"] == url("cut_over", cut_over.pk)
    assert (cut_over.domain, cut_over.every_hours) == (DOMAIN, 3)
    assert url("cut_over", cut_over.pk) in page(admin_client, "batch", batch.pk)
    assert DOMAIN in page(admin_client, "cut_overs")


@pytest.mark.parametrize("batch", ["", "x", "99999999999999999999999999", "0"])
def test_a_batch_that_is_none_is_refused_in_words(admin_client: Client, batch: str) -> None:
    assert admin_client.get(url("cut_over_begin"), {"batch": batch}).status_code == 200
    response = admin_client.post(url("cut_over_begin"), {"batch": batch, "every_hours": 6})
    assert response.status_code == 422
    assert "Choose a batch" in text_of(response)


def test_the_page_names_every_step_and_what_it_waits_for(admin_client: Client) -> None:
    cut_over = cutovers.begin_cut_over(batch=batch_of(), every_hours=6)
    mx(RecordState.WRONG)
    cutovers.advance_all()
    shown = page(admin_client, "cut_over", cut_over.pk)
    for step in CutOverStep:
        assert str(step.label) in shown
    assert f"The MX of {DOMAIN} does not point to PurelyMail yet." in shown
    assert "Final sync now" in shown
    assert "another one starts by itself then" in shown


def test_a_step_by_hand_is_the_one_that_the_page_showed(admin_client: Client) -> None:
    cut_over = cutovers.begin_cut_over(batch=batch_of(), every_hours=6)
    for _click in range(2):
        admin_client.post(url("cut_over_advance", cut_over.pk), {"step": "copy"})
    assert CutOver.objects.get().step == CutOverStep.DELTA
    assert "moved on meanwhile" in page(admin_client, "cut_over", cut_over.pk)


def test_stopping_and_resuming(admin_client: Client) -> None:
    cut_over = cutovers.begin_cut_over(batch=batch_of(), every_hours=6)
    admin_client.post(url("cut_over_stop", cut_over.pk))
    shown = page(admin_client, "cut_over", cut_over.pk)
    assert "No further step begins by itself" in shown
    assert "every 20s" not in shown
    admin_client.post(url("cut_over_resume", cut_over.pk))
    assert CutOver.objects.get().stopped_at is None


def test_the_pages_take_as_many_queries_for_many_as_for_few(
    admin_client: Client, django_assert_max_num_queries: object
) -> None:
    cut_over = cutovers.begin_cut_over(batch=batch_of(30), every_hours=6)
    page(admin_client, "cut_over", cut_over.pk)
    with django_assert_max_num_queries(17):
        page(admin_client, "cut_over", cut_over.pk)
    for _number in range(5):
        batch = Batch.objects.create(name="more", state="active", created_by_name="Ada")
        CutOver.objects.create(domain=DOMAIN, batch=batch)
    with django_assert_max_num_queries(12):
        page(admin_client, "cut_overs")


def test_hours_are_set_and_ended_for_a_job(admin_client: Client) -> None:
    job = JobFactory()
    assert url("repeat", job.pk) in page(admin_client, "detail", job.pk)
    admin_client.post(url("repeat", job.pk), {"hours": 6})
    job.refresh_from_db()
    assert job.repeat_hours == 6
    assert "every 6 hours, next" in page(admin_client, "detail", job.pk)
    assert 'value="6"' in page(admin_client, "repeat", job.pk)
    admin_client.post(url("repeat", job.pk), {"hours": ""})
    job.refresh_from_db()
    assert (job.repeat_hours, job.repeat_at) == (None, None)


@pytest.mark.parametrize("hours", ["0", "169", "often", "-1", "9" * 30])
def test_hours_that_make_no_sense_are_refused(admin_client: Client, hours: str) -> None:
    job = JobFactory()
    response = admin_client.post(url("repeat", job.pk), {"hours": hours})
    assert response.status_code == 422
    assert "from 1 to 168" in text_of(response)


def test_a_dry_run_says_why_it_does_not_repeat(admin_client: Client) -> None:
    job = JobFactory(dry_run=True)
    response = admin_client.post(url("repeat", job.pk), {"hours": 6})
    assert response.status_code == 422
    assert "copies nothing" in text_of(response)
    assert url("repeat", job.pk) not in page(admin_client, "detail", job.pk)


def test_hours_and_the_final_sync_of_a_batch(admin_client: Client) -> None:
    batch = batch_of()
    admin_client.post(url("batch_repeat", batch.pk), {"hours": 4})
    assert set(MigrationJob.objects.values_list("repeat_hours", flat=True)) == {4}
    assert "2 are copied again by themselves" in page(admin_client, "batch", batch.pk)
    assert 'value="4"' in page(admin_client, "batch_repeat", batch.pk)
    JobFactory(batch=batch, source_password="", destination_password="")
    response = admin_client.post(url("batch_final", batch.pk))
    assert response["Location"] == url("batch", batch.pk)
    assert not MigrationJob.objects.exclude(repeat_hours=None).exists()
    assert MigrationJob.objects.filter(repeat_at__lte=timezone.now()).count() == 2
    told = page(admin_client, "batch", batch.pk)
    assert "1 mailbox is left out: its passwords were erased." in told


def test_a_final_sync_that_cannot_be_is_told(admin_client: Client) -> None:
    job = JobFactory(state=State.FAILED, source_password="")
    response = admin_client.post(url("final", job.pk), follow=True)
    assert "Edit and re-run it" in text_of(response)
