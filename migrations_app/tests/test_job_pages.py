"""The words of the pages about jobs: what is searched, asked, named and promised."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from migrations_app.models import State
from migrations_app.services.bulk import act_on_jobs
from migrations_app.tests.factories import JobFactory, RunningJobFactory, ServerFactory

pytestmark = pytest.mark.django_db


def listed(client: Client, query: str = "") -> str:
    return client.get(reverse("migrations:list") + query).content.decode()


def test_a_search_that_finds_nothing_names_what_was_searched(viewer_client: Client) -> None:
    JobFactory(name="Anna", state=State.FAILED, ended_at=timezone.now())
    assert "No job matches “hotel”" in listed(viewer_client, "?q=hotel")
    assert "1 job in another state does." in listed(viewer_client, "?q=anna&state=done")
    assert "No job is in this state" in listed(viewer_client, "?state=running")


@pytest.mark.parametrize("state", State.values)
def test_every_state_that_a_job_is_in_can_be_chosen(viewer_client: Client, state: str) -> None:
    JobFactory(state=state, ended_at=timezone.now(), started_at=timezone.now())
    key = "errors" if state == State.DONE_WITH_ERRORS else state
    assert f'id="filter-{key}"' in listed(viewer_client)
    assert "No job" not in listed(viewer_client, f"?state={key}")


def test_an_empty_list_has_one_primary_button(admin_client: Client) -> None:
    ServerFactory()
    assert listed(admin_client).count("btn-primary") == 1


def test_a_failed_job_promises_no_folders_any_more(viewer_client: Client) -> None:
    job = JobFactory(state=State.FAILED, ended_at=timezone.now())
    page = viewer_client.get(reverse("migrations:detail", args=[job.pk])).content.decode()
    assert "Folders stand here once" not in page
    assert "The run ended before it looked at a folder." in page


def test_jobs_of_one_name_are_told_apart_before_they_are_deleted(admin_client: Client) -> None:
    twins = [
        JobFactory(name="anna@new.example", source_address=source, dry_run=dry_run)
        for source, dry_run in (("a@old.example", True), ("b@old.example", False))
    ]
    data = {"action": "delete", "selected": [job.pk for job in twins]}
    page = admin_client.post(reverse("migrations:selected"), data).content.decode()
    assert "dry run from a@old.example, <time" in page
    assert "from b@old.example, <time" in page

    busy = RunningJobFactory(name="anna@new.example", source_address="c@old.example")
    assert "(from c@old.example)" in act_on_jobs(action="delete", jobs=[busy]).sentence


def test_without_script_a_running_job_says_how_to_see_more(viewer_client: Client) -> None:
    words = '<noscript><p class="quiet">Reload this page to see how far it is.'
    for job, is_there in ((RunningJobFactory(), True), (JobFactory(), False)):
        page = viewer_client.get(reverse("migrations:detail", args=[job.pk])).content.decode()
        assert (words in page) == is_there


def test_without_script_a_login_test_says_that_passwords_are_gone(admin_client: Client) -> None:
    page = admin_client.post(reverse("migrations:add"), {"test": "1"}).content.decode()
    assert "No servers yet" in page
    ServerFactory()
    page = admin_client.post(reverse("migrations:add"), {"test": "1"}).content.decode()
    assert "Type them again." in page


def test_the_file_of_a_log_keeps_the_parts_of_an_address_apart() -> None:
    job = JobFactory(name="lea.fontaine@lindenhof.example")
    assert job.log_name == f"job-{job.pk}-lea-fontaine-lindenhof-example.log"


def test_the_title_of_a_job_breaks_before_the_at_sign(viewer_client: Client) -> None:
    job = JobFactory(name="<lea@lindenhof.example")
    page = viewer_client.get(reverse("migrations:detail", args=[job.pk])).content.decode()
    assert "<span>&lt;lea<wbr>@lindenhof.example</span>" in page
