"""The probes answer without host, https, session or set-up, and name what fails."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from purelymanage.dashboard import health
from purelymanage.jobs.models import WorkerHost

READY = {"database": "ok", "migrations": "ok", "worker": "ok"}


@pytest.fixture
def prober() -> Client:
    """A load balancer: an odd host, no cookies, no https."""
    return Client(headers={"host": "10.0.0.5"})


def test_healthz_needs_no_database(prober, settings):
    settings.SECURE_SSL_REDIRECT = True
    response = prober.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies


def test_readyz_is_ready_with_database_migrations_and_worker(prober, worker, settings):
    settings.SECURE_SSL_REDIRECT = True
    response = prober.get("/readyz")
    assert (response.status_code, response.json()) == (200, READY)
    assert not response.cookies


def test_readyz_costs_few_queries(prober, worker, django_assert_max_num_queries):
    prober.get("/readyz")
    with django_assert_max_num_queries(4):
        prober.get("/readyz")


@pytest.mark.parametrize(
    ("age", "status", "says"), [(50, 200, "ok"), (61, 503, "last seen 61 s ago")]
)
def test_readyz_names_a_worker_that_is_late(prober, worker, age, status, says):
    WorkerHost.objects.update(seen_at=timezone.now() - timedelta(seconds=age))
    response = prober.get("/readyz")
    assert (response.status_code, response.json()) == (status, {**READY, "worker": says})


@pytest.mark.django_db
def test_readyz_names_a_worker_that_never_was(prober):
    response = prober.get("/readyz")
    assert (response.status_code, response.json()["worker"]) == (503, "never seen")


def test_readyz_names_missing_migrations(prober, worker, monkeypatch):
    known = health._known_migrations() | {("accounts", "0999_tomorrow")}
    monkeypatch.setattr(health, "_known_migrations", lambda: known)
    response = prober.get("/readyz")
    assert response.status_code == 503
    assert response.json()["migrations"] == "1 not applied, run manage.py migrate"


def refuse() -> None:
    raise OperationalError("connection refused for panel:secret@db")


def test_readyz_names_a_database_that_is_away_and_tells_no_secret(prober, worker, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", refuse)
        response = prober.get("/readyz")
    assert response.status_code == 503
    assert response.json()["database"] == "no answer"
    assert b"secret" not in response.content


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_the_probes_only_answer_questions(prober, worker, path):
    assert prober.post(path).status_code == 405
    assert prober.head(path).status_code == 200
