"""What people see of a look at both mailboxes, and how they have one taken."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from accounts.models import User
from audit.models import Entry
from migrations_app.models import Batch, Check, CheckState, MigrationJob, State
from migrations_app.services import checks as services
from migrations_app.services.jobs import run_job_for_real
from migrations_app.tests.factories import BatchFactory, JobFactory
from migrations_app.tests.pages import HTMX, text_of, url

pytestmark = pytest.mark.django_db
FOLDED = "What was found then"


def batch_of(*states: CheckState, **facts: object) -> Batch:
    """With one job in the queue for each state, and its check."""
    batch = BatchFactory()
    for state in states:
        job = JobFactory(batch=batch, state=State.QUEUED)
        Check.objects.create(job=job, state=state, **facts)
    return batch


@pytest.mark.django_db(transaction=True)
def test_an_admin_has_a_batch_looked_at(admin_client: Client) -> None:
    batch = BatchFactory(name="Lindenhof")
    JobFactory.create_batch(2, batch=batch, state=State.QUEUED)
    page = text_of(admin_client.get(url("batch", batch.pk)))
    assert "Look at all mailboxes" in page
    response = admin_client.post(url("batch_check", batch.pk), follow=True)
    assert "2 migrations are looked at. Nothing is copied." in text_of(response)
    assert Check.objects.filter(state=CheckState.WAITING).count() == 2
    assert services.WORK in [message.task["func"] for message in OrmQ.objects.all()]
    entry = Entry.objects.get(action="job.checked")
    assert (entry.target, entry.after) == ("Lindenhof", {"jobs": 2})
    assert "Stop looking" in text_of(response)
    admin_client.post(url("batch_check_stop", batch.pk))
    assert not Check.objects.exists()


def test_the_part_asks_for_itself_until_all_is_seen(viewer_client: Client) -> None:
    batch = batch_of(CheckState.READY, CheckState.RUNNING)
    page = text_of(viewer_client.get(url("batch_checks_live", batch.pk), headers=HTMX))
    assert f'hx-get="{url("batch_checks_live", batch.pk)}"' in page
    assert "<html" not in page
    assert "Stop looking" not in page
    Check.objects.update(state=CheckState.READY)
    page = text_of(viewer_client.get(url("batch_checks_live", batch.pk), headers=HTMX))
    assert "hx-get" not in page


def test_the_part_sums_up_and_names_the_first_problems(viewer_client: Client) -> None:
    measured = {"messages": 1500, "bytes": 2_500_000_000, "seconds": 3600}
    batch = batch_of(*[CheckState.READY] * 4, **measured)
    for number in range(7):
        job = JobFactory(batch=batch, name=f"bad{number}", state=State.QUEUED)
        Check.objects.create(job=job, state=CheckState.PROBLEM, problem="<b>Wrong</b> password.")
    page = text_of(viewer_client.get(url("batch", batch.pk)))
    assert "6,000" in page
    assert "10.0\N{NO-BREAK SPACE}GB" in page
    assert "2\N{NO-BREAK SPACE}h" in page, "four hours, two at a time"
    part = text_of(viewer_client.get(url("batch_checks_live", batch.pk)))
    assert part.count("&lt;b&gt;Wrong") == 5
    assert "<b>Wrong" not in part


# Once it is copied


def looked_at(**facts: object) -> tuple[Batch, MigrationJob]:
    """A dry run that ended well, whose mailboxes were looked at before."""
    batch = BatchFactory()
    dry = JobFactory(batch=batch, dry_run=True)
    found = {"state": CheckState.READY, "messages": 4711, "seconds": 7200}
    Check.objects.create(job=dry, checked_at=timezone.now(), **found | facts)
    return batch, dry


def test_what_was_found_before_a_dry_run_stands_while_its_real_run_waits(
    admin_client: Client,
) -> None:
    batch, dry = looked_at()
    real = run_job_for_real(job=dry)
    page = text_of(admin_client.get(url("batch", batch.pk)))
    assert "4,711" in page
    assert "Look again" in page
    assert "Look at all mailboxes" not in page
    assert FOLDED not in page
    assert "4,711" in text_of(admin_client.get(url("checks"), {"batch": batch.pk}))
    assert "4,711" in text_of(admin_client.get(url("detail", real.pk)))


def test_what_was_found_is_folded_away_once_all_is_copied(admin_client: Client) -> None:
    batch, dry = looked_at()
    real = run_job_for_real(job=dry)
    for state, is_folded in (
        (State.RUNNING, True),
        (State.QUEUED, False),
        (State.DONE, True),
        (State.FAILED, True),
    ):
        MigrationJob.objects.filter(pk=real.pk).update(state=state)
        for address in (url("batch", batch.pk), url("batch_checks_live", batch.pk)):
            page = text_of(admin_client.get(address))
            assert (FOLDED in page) is is_folded, state
            assert ("Look again" in page) is not is_folded
            assert ("Takes about" in page) is not is_folded, "that is over"
            assert "4,711" in page


def test_a_dry_run_that_has_ended_is_still_before_copying(admin_client: Client) -> None:
    batch, _dry = looked_at()
    page = text_of(admin_client.get(url("batch", batch.pk)))
    assert FOLDED not in page
    assert "Look again" in page


def test_a_look_under_way_goes_along_with_the_real_run(admin: User) -> None:
    _batch, dry = looked_at(state=CheckState.WAITING)
    real = run_job_for_real(job=dry)
    assert Check.objects.get().job == real


# Row by row


@pytest.mark.parametrize("count", [1, 30])
def test_the_page_costs_the_same_for_any_number(
    viewer_client: Client, django_assert_max_num_queries, count: int
) -> None:
    batch = batch_of(*[CheckState.READY, CheckState.PROBLEM] * count, problem="So.")
    viewer_client.get(url("checks"), {"batch": batch.pk})
    with django_assert_max_num_queries(9):
        viewer_client.get(url("checks"), {"batch": batch.pk})
    with django_assert_max_num_queries(8):
        viewer_client.get(url("batch_checks_live", batch.pk))


def test_the_list_shows_row_by_row_and_filters(viewer_client: Client) -> None:
    batch = batch_of(CheckState.READY, messages=7, note="Worth knowing.")
    other = batch_of(CheckState.PROBLEM, problem="Not good.")
    page = text_of(viewer_client.get(url("checks")))
    assert "Worth knowing." in page
    assert "Not good." in page
    page = text_of(viewer_client.get(url("checks"), {"batch": batch.pk}))
    assert "Not good." not in page
    page = text_of(viewer_client.get(url("checks"), {"state": "problem"}))
    assert "Worth knowing." not in page
    assert batch.name not in text_of(viewer_client.get(url("checks"), {"batch": other.pk}))


@pytest.mark.parametrize("query", [{"batch": "x"}, {"state": "y"}, {"page": "-3"}])
def test_nonsense_in_the_address_shows_all(viewer_client: Client, query: dict[str, str]) -> None:
    batch_of(CheckState.READY, note="Worth knowing.")
    response = viewer_client.get(url("checks"), query)
    assert response.status_code == 200
    assert "Worth knowing." in text_of(response)
    assert viewer_client.get(url("checks"), {"batch": "999"}).status_code == 404


def test_what_another_job_superseded_is_left_out(viewer_client: Client) -> None:
    batch = batch_of(CheckState.READY, note="Of the dry run.")
    real = JobFactory(batch=batch, state=State.QUEUED)
    MigrationJob.objects.exclude(pk=real.pk).update(superseded_by=real)
    assert "Of the dry run." not in text_of(viewer_client.get(url("checks")))


def test_ticked_jobs_are_looked_at(admin_client: Client) -> None:
    job = JobFactory(state=State.FAILED)
    response = admin_client.post(url("check_selected"), {"selected": [job.pk, "x"]}, follow=True)
    assert "1 migration is looked at" in text_of(response)
    assert Check.objects.get().job == job
    response = admin_client.post(url("check_selected"), {"selected": []}, follow=True)
    assert "Select one job at least" in text_of(response)


def test_all_that_the_filter_matches_are_looked_at(admin_client: Client) -> None:
    batch = BatchFactory()
    wanted = JobFactory.create_batch(3, batch=batch, state=State.FAILED)
    JobFactory(batch=batch, state=State.QUEUED)
    JobFactory(state=State.FAILED)
    page = text_of(admin_client.get(url("batch", batch.pk), {"state": "failed"}))
    address = f"{url('check_selected')}?batch={batch.pk}&state=failed"
    assert address.replace("&", "&amp;") in page
    admin_client.post(address, {"everything": "1"})
    assert {check.job for check in Check.objects.all()} == set(wanted)


def test_a_batch_without_anything_to_run_says_so(admin_client: Client) -> None:
    batch = BatchFactory()
    JobFactory(batch=batch, state=State.CANCELLED)
    response = admin_client.post(url("batch_check", batch.pk), follow=True)
    assert "nothing to check" in text_of(response)


def test_the_page_of_a_job_shows_its_check(viewer_client: Client) -> None:
    job = JobFactory(state=State.QUEUED)
    assert "Check now" not in text_of(viewer_client.get(url("detail", job.pk)))
    facts = {"folders": 12, "messages": 4711, "bytes": 2_500_000_000, "seconds": 3600}
    check = Check.objects.create(
        job=job, state=CheckState.PROBLEM, problem="<b>Wrong</b> password.", note="So.", **facts
    )
    page = text_of(viewer_client.get(url("detail", job.pk)))
    for words in ("Problem", "&lt;b&gt;Wrong", "So.", "4,711", "2.5\N{NO-BREAK SPACE}GB"):
        assert words in page
    assert url("check", job.pk) + '"' not in page
    assert url("check_live", job.pk) not in page, "nothing is under way"
    check.delete()


@pytest.mark.django_db(transaction=True)
def test_an_admin_has_one_job_checked_from_its_page(admin_client: Client) -> None:
    job = JobFactory(state=State.FAILED)
    assert "Check now" in text_of(admin_client.get(url("detail", job.pk)))
    page = text_of(admin_client.post(url("check", job.pk), follow=True))
    assert "1 migration is looked at. Nothing is copied." in page
    assert f'hx-get="{url("check_live", job.pk)}"' in page
    assert url("check", job.pk) + '"' not in page, "it is under way"
    assert services.WORK in [message.task["func"] for message in OrmQ.objects.all()]
    assert Entry.objects.get(action="job.checked").target == job.name
    part = text_of(admin_client.get(url("check_live", job.pk), headers=HTMX))
    assert "hx-get" in part
    Check.objects.update(state=CheckState.READY)
    part = text_of(admin_client.get(url("check_live", job.pk), headers=HTMX))
    assert "hx-get" not in part
    assert "<html" not in part
    assert "Check again" in part
    assert 'id="job-news"' in part


@pytest.mark.parametrize(
    "facts",
    [
        {"state": State.RUNNING},
        {"state": State.CANCELLED},
        {"state": State.FAILED, "source_password": ""},
    ],
    ids=["running", "cancelled", "no passwords"],
)
def test_a_check_is_offered_only_where_it_can_be_had(
    admin_client: Client, facts: dict[str, object]
) -> None:
    job = JobFactory(**facts)
    assert "Check now" not in text_of(admin_client.get(url("detail", job.pk)))
