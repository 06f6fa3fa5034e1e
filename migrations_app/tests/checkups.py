"""What tests of checks share: jobs to look at, and having them looked at."""

from __future__ import annotations

from migrations_app.checks import checkup
from migrations_app.models import Check, MigrationJob, State
from migrations_app.services import checks as services
from migrations_app.tests.factories import JobFactory


def queued(**facts) -> MigrationJob:
    return JobFactory(state=State.QUEUED, **facts)


def checked(job: MigrationJob) -> Check:
    services.check_jobs(jobs=MigrationJob.objects.filter(pk=job.pk))
    checkup.work()
    return Check.objects.get(job=job)
