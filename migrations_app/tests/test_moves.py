"""What mailbox pages show of migrations into a mailbox."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mailboxes.tests.factories import MailboxFactory
from migrations_app.models import MigrationJob, State
from migrations_app.moves import last_moves, latest_moves, unfinished_moves
from migrations_app.tests.factories import JobFactory
from purelymanage.core.planning import plan_anew
from purelymanage.deletions.models import PendingDeletion
from routing.tests.factories import RoutingRuleFactory

pytestmark = pytest.mark.django_db
ANNA, BERT = "anna@new.example", "bert@new.example"


def test_a_job_is_found_however_its_address_was_typed():
    JobFactory(destination_address=ANNA, name="first")
    JobFactory(destination_address="Anna@New.example", name="second", state=State.QUEUED)
    JobFactory(destination_address="anna@other.example", name="elsewhere")
    assert [move.name for move in latest_moves(ANNA)] == ["second", "first"]
    assert unfinished_moves(ANNA) == ["second"]


def test_the_newest_job_counts_whatever_its_case(django_assert_num_queries):
    JobFactory(destination_address="ANNA@new.example", name="old")
    JobFactory(destination_address=ANNA, name="older spelling")
    JobFactory(destination_address="Anna@New.example", name="new")
    JobFactory(destination_address="Bert@new.example", name="Bert's")
    JobFactory(destination_address="carl@new.example")
    with django_assert_num_queries(1):
        moves = last_moves([ANNA, BERT, "dora@new.example"])
    assert {address: move.name for address, move in moves.items()} == {ANNA: "new", BERT: "Bert's"}


def test_the_question_before_a_domain_goes_names_what_suffers(admin_client):
    domain = MailboxFactory(address=ANNA).domain
    JobFactory(destination_address="Anna@New.example", name="still to come", state=State.QUEUED)
    JobFactory(destination_address=ANNA, name="long over", state=State.DONE)
    JobFactory(destination_address="anna@brand-new.example", name="elsewhere", state=State.QUEUED)
    RoutingRuleFactory(match_user="sales", targets=["Bert@NEW.example"])
    RoutingRuleFactory(match_user="press", targets=["bert@brand-new.example"])
    page = f"/domains/{domain.pk}/delete/"
    html = admin_client.get(page).content.decode()
    assert "Migrations into its mailboxes that have not ended (1)" in html
    assert "still to come" in html
    assert "Rules of other domains that deliver here; they stay, and their mail bounces (1)" in html
    assert "sales@" in html
    assert admin_client.post(page, {"typed": domain.name}).status_code == 302
    affected = PendingDeletion.objects.get().dossier["affected"]
    assert ["still to come"] in affected.values()


def test_the_page_and_the_list_of_mailboxes_show_it(viewer_client):
    mailbox = MailboxFactory(address=ANNA)
    job = JobFactory(destination_address="Anna@New.example", state=State.QUEUED)
    for path in (f"/mailboxes/{mailbox.pk}/", "/mailboxes/"):
        assert f'href="/migrations/{job.pk}/"' in viewer_client.get(path).content.decode(), path


@pytest.mark.parametrize("ask", [lambda: last_moves([ANNA, BERT]), lambda: unfinished_moves(ANNA)])
def test_the_questions_go_by_the_index(ask):
    JobFactory.create_batch(200)
    plan_anew(MigrationJob)
    with CaptureQueriesContext(connection) as asked:
        ask()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # so few rows need no index
            cursor.execute(f"EXPLAIN {asked[0]['sql']}")
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {asked[0]['sql']}")
        plan = str(cursor.fetchall())
    assert "migration_jobs_by_mailbox" in plan
