"""Bad settings stop every way of starting, with a sentence that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from purelymanage.checks import (
    MAKE_KEYS,
    Environment,
    UnusableSettingsError,
    check_unwise,
    refuse_unusable,
)
from purelymanage.make_keys import make_keys

ROOT = Path(__file__).resolve().parents[2]
GOOD_KEY = "kQ8-8rVdvV5nNf5c2Yw0fHq3pJtEoLxA7mZs9uGiBhRyTnCk4D"
GOOD_ENCRYPTION = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="


def values(**changes: object) -> dict[str, object]:
    return {
        "DEMO": False,
        "SECRET_KEY": GOOD_KEY,
        "ENCRYPTION_KEYS": [GOOD_ENCRYPTION],
        "AUDIT_KEYS": [],
        "MIGRATION_ENGINE": "auto",
        "MIGRATION_CONCURRENCY": 2,
        "SYNC_WORKERS": 8,
        "PORT": 8000,
        "DEMO_PORT": 8010,
        "TIME_ZONE": "UTC",
        "LOG_RETENTION_DAYS": 90,
        "JOB_RETENTION_DAYS": 365,
        "AUDIT_RETENTION_DAYS": 0,
        "SESSION_IDLE_MINUTES": 30,
        "SESSION_MAX_HOURS": 12,
        "INVITATION_DAYS": 7,
        "SECOND_FACTOR_GRACE_DAYS": 7,
        "IMAP_PORTS": [143, 993],
        "PURELYMAIL_API_URL": "https://purelymail.com",
        "PURELYMAIL_IMAP_URL": "imaps://imap.purelymail.com:993",
        "BASE_URL": "https://panel.example.com",
        "TRUSTED_PROXIES": [],
        "DNS_RESOLVERS": [],
        "LOGGING": {"root": {"level": "INFO"}},
        **changes,
    }


def test_good_settings_start():
    refuse_unusable(values())


@pytest.mark.parametrize(
    ("port", "named"),
    [(99999, "PORT is 99999."), (65530, "DEMO_PORT is 65540"), (65523, "DEMO_PORT is 65533")],
)
def test_a_port_out_of_range_is_all_that_is_said(port, named):
    wrong = values(
        DEMO=True,
        PORT=port,
        DEMO_PORT=port + 10,
        BASE_URL=f"http://127.0.0.1:{port}",
        PURELYMAIL_API_URL=f"http://127.0.0.1:{port + 10}",
    )
    with pytest.raises(UnusableSettingsError) as refusal:
        refuse_unusable(wrong)
    assert str(refusal.value).startswith(named)
    assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SECRET_KEY", "", "SECRET_KEY is missing"),
        ("SECRET_KEY", "short", "SECRET_KEY is too short"),
        ("SECRET_KEY", "abc" * 30, "SECRET_KEY is too plain"),
        ("SECRET_KEY", "django-insecure-" + GOOD_KEY, "as in examples"),
        ("ENCRYPTION_KEYS", [], "ENCRYPTION_KEYS is missing"),
        ("ENCRYPTION_KEYS", ["not base64!"], "ENCRYPTION_KEYS, number 1"),
        ("ENCRYPTION_KEYS", [GOOD_ENCRYPTION, "c2hvcnQ="], "ENCRYPTION_KEYS, number 2"),
        ("ENCRYPTION_KEYS", ["A" * 43 + "="], "not random"),
        ("AUDIT_KEYS", ["not base64!"], "AUDIT_KEYS, number 1"),
        ("AUDIT_KEYS", ["A" * 43 + "="], "AUDIT_KEYS, number 1: its bytes are not random"),
    ],
)
def test_weak_or_missing_keys_are_refused_with_the_command_that_makes_good_ones(name, value, says):
    with pytest.raises(UnusableSettingsError) as caught:
        refuse_unusable(values(**{name: value}))
    assert says in str(caught.value)
    assert "python -m purelymanage.make_keys >> .env" in str(caught.value)
    if isinstance(value, str) and len(value) > 5:
        assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MIGRATION_ENGINE", "rsync"),
        ("MIGRATION_CONCURRENCY", 0),
        ("SYNC_WORKERS", 0),
        ("PORT", 0),
        ("PORT", 65536),
        ("TIME_ZONE", "Mars/Olympus"),
        ("LOG_RETENTION_DAYS", -1),
        ("JOB_RETENTION_DAYS", -1),
        ("SESSION_IDLE_MINUTES", 0),
        ("SESSION_IDLE_MINUTES", 12 * 60 + 1),
        ("SESSION_MAX_HOURS", 0),
        ("SESSION_MAX_HOURS", 365 * 24 + 1),
        ("INVITATION_DAYS", 0),
        ("SECOND_FACTOR_GRACE_DAYS", -1),
        ("SECOND_FACTOR_GRACE_DAYS", 10**9),
        ("PURELYMAIL_IMAP_URL", "imap.purelymail.com"),
        ("PURELYMAIL_IMAP_URL", "imaps://imap.purelymail.com"),
        ("PURELYMAIL_IMAP_URL", "imaps://imap.purelymail.com:x"),
        ("PURELYMAIL_IMAP_URL", "https://imap.purelymail.com:993"),
        ("IMAP_PORTS", []),
        ("IMAP_PORTS", [993, 0]),
        ("IMAP_PORTS", [65536]),
        ("PURELYMAIL_API_URL", "http://purelymail.com"),
        ("PURELYMAIL_API_URL", "purelymail.com"),
        ("PURELYMAIL_API_URL", "https://"),
        ("PURELYMAIL_API_URL", "https://purelymail.com:many"),
        ("PURELYMAIL_API_URL", "https://me:secret@purelymail.com"),
        ("PURELYMAIL_API_URL", "ftp://127.0.0.1"),
        ("BASE_URL", "panel.example.com"),
        ("BASE_URL", "https://example.com/panel"),
        ("TRUSTED_PROXIES", ["nginx"]),
        ("TRUSTED_PROXIES", ["10.0.0.1/8"]),
        ("DNS_RESOLVERS", ["resolver.example.com"]),
        ("DNS_RESOLVERS", ["1.1.1.1", ""]),
        ("DNS_RESOLVERS", ["1.1.1.1:many"]),
        ("DNS_RESOLVERS", ["1.1.1.1:0"]),
        ("DNS_RESOLVERS", ["1.1.1.1:65536"]),
        ("DNS_RESOLVERS", ["https://1.1.1.1/dns-query"]),
        ("DNS_RESOLVERS", ["me@1.1.1.1"]),
        ("DNS_RESOLVERS", ["[::1"]),
    ],
)
def test_other_values_that_cannot_work_are_refused_by_name(name, value):
    with pytest.raises(UnusableSettingsError, match=f"^{name} ") as caught:
        refuse_unusable(values(**{name: value}))
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PURELYMAIL_API_URL", "http://127.0.0.1:8010"),
        ("PURELYMAIL_API_URL", "http://localhost:8010"),
        ("PURELYMAIL_API_URL", "http://[::1]:8010"),
        ("BASE_URL", "http://192.0.2.7:8000"),
        ("SESSION_IDLE_MINUTES", 12 * 60),
        ("SECOND_FACTOR_GRACE_DAYS", 0),
        ("IMAP_PORTS", [1, 65535]),
        ("TRUSTED_PROXIES", ["127.0.0.1", "10.0.0.0/8", "::1", "unix"]),
        ("DNS_RESOLVERS", ["1.1.1.1", "127.0.0.1:5353", "2606:4700::1111", "[::1]:5353"]),
    ],
)
def test_unusual_but_sound_values_are_accepted(name, value):
    refuse_unusable(values(**{name: value}))


def test_demo_mode_starts_with_any_secret_key():
    refuse_unusable(values(DEMO=True, SECRET_KEY="x", ENCRYPTION_KEYS=[]))


def test_everything_wrong_is_said_at_once():
    with pytest.raises(UnusableSettingsError) as caught:
        refuse_unusable(values(SECRET_KEY="", ENCRYPTION_KEYS=[], MIGRATION_CONCURRENCY=0))
    assert len(str(caught.value).splitlines()) == 3


def test_a_log_level_that_does_not_exist_is_refused():
    with pytest.raises(UnusableSettingsError, match="LOG_LEVEL"):
        refuse_unusable(values(LOGGING={"root": {"level": "LOUD"}}))


def test_a_number_that_is_none_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("MIGRATION_CONCURRENCY", "many")
    with pytest.raises(UnusableSettingsError, match=r"^MIGRATION_CONCURRENCY must be a whole"):
        Environment().int("MIGRATION_CONCURRENCY", default=2)
    monkeypatch.setenv("MIGRATION_CONCURRENCY", "")
    assert Environment().int("MIGRATION_CONCURRENCY", default=2) == 2
    monkeypatch.setenv("MIGRATION_CONCURRENCY", "7")
    assert Environment().int("MIGRATION_CONCURRENCY", default=2) == 7


def test_a_list_of_numbers_that_holds_something_else_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("IMAP_PORTS", "993,imap")
    with pytest.raises(UnusableSettingsError, match=r"^IMAP_PORTS must be whole numbers"):
        Environment().list("IMAP_PORTS", cast=int, default=[993])
    monkeypatch.setenv("IMAP_PORTS", "143, 993")
    assert Environment().list("IMAP_PORTS", cast=int, default=[]) == [143, 993]


def test_a_database_address_that_is_none_is_refused_without_repeating_it(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "panel:secret@db")
    with pytest.raises(UnusableSettingsError, match=r"^DATABASE_URL") as caught:
        Environment().db_url("DATABASE_URL")
    assert "secret" not in str(caught.value)


def test_made_keys_are_good_and_never_the_same():
    lines = dict(line.split("=", 1) for line in make_keys().splitlines())
    refuse_unusable(
        values(SECRET_KEY=lines["SECRET_KEY"], ENCRYPTION_KEYS=[lines["ENCRYPTION_KEYS"]])
    )
    assert make_keys() != make_keys()


def start(argv: list[str], tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start something outside demo mode with exactly these settings."""
    given = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(tmp_path),
        "PURELYMAIL_API_TOKEN": "a-real-token",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.run(
        argv,
        cwd=ROOT,
        env=given | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.skipif((ROOT / ".env").exists(), reason="a .env of this checkout would get in the way")
@pytest.mark.parametrize("command", ["check", "migrate", "setup_code"])
def test_no_command_runs_without_keys(tmp_path, command):
    done = start([sys.executable, "manage.py", command], tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "PurelyManage cannot start.",
        f"SECRET_KEY is missing. It protects sessions and links. {MAKE_KEYS}",
        f"ENCRYPTION_KEYS is missing. It protects the stored IMAP passwords. {MAKE_KEYS}",
    ]


@pytest.mark.skipif((ROOT / ".env").exists(), reason="a .env of this checkout would get in the way")
def test_gunicorn_stops_without_keys(tmp_path):
    argv = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "purelymanage.wsgi"]
    done = start(argv, tmp_path)
    assert done.returncode != 0
    assert "SECRET_KEY is missing." in done.stderr


@pytest.mark.skipif((ROOT / ".env").exists(), reason="a .env of this checkout would get in the way")
def test_the_command_it_names_makes_it_start(tmp_path):
    made = start([sys.executable, "-m", "purelymanage.make_keys"], tmp_path)
    keys = dict(line.split("=", 1) for line in made.stdout.splitlines())
    done = start([sys.executable, "manage.py", "check"], tmp_path, **keys)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif((ROOT / ".env").exists(), reason="a .env of this checkout would get in the way")
def test_the_production_settings_pass_djangos_own_check_for_deployment(tmp_path):
    made = start([sys.executable, "-m", "purelymanage.make_keys"], tmp_path)
    keys = dict(line.split("=", 1) for line in made.stdout.splitlines())
    done = start(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        tmp_path,
        BASE_URL="https://panel.example.com",
        EMAIL_URL="smtp://localhost:25",
        **keys,
    )
    assert (done.returncode, done.stdout) == (
        0,
        "System check identified no issues (0 silenced).\n",
    )


@pytest.mark.skipif((ROOT / ".env").exists(), reason="a .env of this checkout would get in the way")
@pytest.mark.parametrize(("scheme", "prefix"), [("https", "__Host-"), ("http", "")])
def test_cookies_belong_to_the_host_alone_where_the_way_is_encrypted(tmp_path, scheme, prefix):
    made = start([sys.executable, "-m", "purelymanage.make_keys"], tmp_path)
    keys = dict(line.split("=", 1) for line in made.stdout.splitlines())
    code = "from purelymanage.settings import *; print(SESSION_COOKIE_NAME, CSRF_COOKIE_NAME)"
    base_url = f"{scheme}://panel.example.com"
    done = start([sys.executable, "-c", code], tmp_path, BASE_URL=base_url, **keys)
    assert done.stdout.split() == [f"{prefix}sessionid", f"{prefix}csrftoken"]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"DEBUG": True}, ["purelymanage.W001"]),
        ({"BASE_URL": "http://panel.example.com"}, ["purelymanage.W002"]),
        (
            {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"},
            ["purelymanage.W003"],
        ),
        ({"ENV_FILE": Path("/etc/passwd")}, ["purelymanage.W004"]),
        ({"CSP_REPORT_ONLY": True}, ["purelymanage.W005"]),
        ({"IMAP_ALLOW_LOCAL": True}, ["purelymanage.W006"]),
        ({"IMAP_ALLOW_LOCAL": True, "DEMO": True}, []),
        ({"SESSION_MAX_HOURS": 13}, ["purelymanage.W007"]),
        ({"SESSION_IDLE_MINUTES": 31}, ["purelymanage.W007"]),
        ({"BASE_URL": "http://127.0.0.1:8000", "DEBUG": True}, []),
    ],
)
def test_what_is_merely_unwise_is_a_warning(settings, change, found):
    settings.BASE_URL = "https://panel.example.com"
    settings.ENV_FILE = Path("/nowhere")
    settings.IMAP_ALLOW_LOCAL = False
    for name, value in change.items():
        setattr(settings, name, value)
    assert [warning.id for warning in check_unwise()] == found
