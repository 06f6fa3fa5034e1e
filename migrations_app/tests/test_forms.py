"""What is well formed, and the sentence for what is not."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from migrations_app.engines.plan import Options
from migrations_app.forms.jobs import JobForm
from migrations_app.forms.limits import LimitsForm
from migrations_app.forms.servers import ServerForm
from migrations_app.imap.hosts import clean_host
from migrations_app.models import Limits
from migrations_app.tests.factories import JobFactory, ServerFactory


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("imap.example.com", "imap.example.com"),
        ("  IMAP.Example.COM. ", "imap.example.com"),
        ("localhost", "localhost"),
        ("my_dovecot", "my_dovecot"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("192.168.1.9", "192.168.1.9"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
    ],
)
def test_a_host_is_normalised(typed: str, host: str) -> None:
    assert clean_host(typed) == host


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("imaps://imap.example.com", "Leave out “imaps://”."),
        ("imap.example.com/inbox", "slash"),
        ("imap.example.com:993", "port"),
        ("[::1]:993", "port"),
        ("me@example.com", "e-mail address"),
        ("999.1.1.1", "not a host name"),
        ("-imap.example.com", "not a host name"),
        ("imap..example.com", "not a host name"),
        ("a b.example.com", "not a host name"),
        ('"imap"', "not a host name"),
        ("x" * 254, "not a host name"),
        (".", "not a host name"),
    ],
)
def test_what_is_no_host_gets_a_sentence(typed: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        clean_host(typed)


def server_data(**changes: Any) -> dict[str, Any]:
    data = {"name": "Old", "host": "imap.old.example", "port": "993", "security": "tls"}
    return data | changes


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "Fill this in"),
        ("name", "x" * 5000, "at most 120"),
        ("name", "Old\nprovider", "control character"),
        ("host", "x" * 5000, "at most 255"),
        ("host", "imap\x00.example", "control character"),
        ("port", "0", "from 1 to 65,535"),
        ("port", "65536", "from 1 to 65,535"),
        ("port", "imap", "from 1 to 65,535"),
        ("port", "9" * 5000, "from 1 to 65,535"),
        ("security", "ssl3", "Choose one"),
    ],
)
def test_a_bad_server_gets_a_sentence_beside_the_field(field: str, value: str, words: str) -> None:
    form = ServerForm(server_data(**{field: value}))
    assert words in str(form.errors[field])


@pytest.mark.parametrize("name", ["-oops", '"quoted"', "'; DROP TABLE", "Ünïcode ✓"])
def test_odd_names_are_welcome(name: str) -> None:
    form = ServerForm(server_data(name=name))
    assert form.is_valid(), form.errors
    assert form.cleaned_data["name"] == name


def job_data(**changes: Any) -> dict[str, Any]:
    data = {
        "name": "",
        "source_server": ServerFactory().pk,
        "source_address": "anna@old.example",
        "source_password": "old secret",
        "destination_server": ServerFactory().pk,
        "destination_address": "anna@new.example",
        "destination_password": "new secret",
        "dry_run": "on",
        "map_special_folders": "on",
        "subscribe": "on",
    }
    return data | changes


@pytest.mark.django_db
@pytest.mark.parametrize(
    "user", ["-oops", "--delete2", 'we"ird', "it's me", "no-at-sign", "ü@x.de"]
)
def test_login_names_need_not_be_addresses(user: str) -> None:
    form = JobForm(job_data(source_address=user, destination_address=user))
    assert form.is_valid(), form.errors
    assert form.end("source").address == user


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "x" * 5000, "at most 120"),
        ("name", "a\x1bb", "control character"),
        ("source_server", "", "Choose a server"),
        ("source_server", "999999", "is gone"),
        ("destination_server", "abc", "is gone"),
        ("source_address", "", "Fill this in"),
        ("source_address", "x" * 5000, "at most 254"),
        ("source_address", "a@b\r\nLOGOUT", "control character"),
        ("destination_address", "a@b\x00", "control character"),
        ("source_password", "", "Fill this in"),
        ("source_password", "secret\n", "line break"),
        ("destination_password", "sec\x7fret", "line break"),
        ("destination_password", "x" * 1001, "at most 1000"),
        ("include", "a\tb\x01", "control character"),
        ("exclude", "x" * 5000, "at most 500 folders"),
        ("max_age_days", "-1", "from 1 to 36,500"),
        ("max_size_mb", "1e9", "from 1 to 100,000"),
        ("bandwidth_kbs", "much", "from 1 to 10,000,000"),
    ],
)
def test_a_bad_job_gets_a_sentence_beside_the_field(field: str, value: str, words: str) -> None:
    form = JobForm(job_data(**{field: value}))
    assert words in str(form.errors[field])


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["  blanks  ", "-p", 'quo"te\\', "pässwörd €", "x" * 1000])
def test_passwords_are_kept_to_the_letter(password: str) -> None:
    form = JobForm(job_data(source_password=password))
    assert form.is_valid(), form.errors
    assert form.end("source").password == password
    assert password not in repr(form.end("source"))


@pytest.mark.django_db
def test_passwords_are_not_sent_back() -> None:
    form = JobForm(job_data(source_password="typed-secret", destination_address=""))
    assert not form.is_valid()
    assert "typed-secret" not in form.as_p()


@pytest.mark.django_db
def test_options_are_turned_into_our_units() -> None:
    data = job_data(
        include="INBOX\n\n  Sent \nINBOX", max_age_days="30", max_size_mb="25", bandwidth_kbs="500"
    )
    del data["subscribe"]
    form = JobForm(data)
    assert form.is_valid(), form.errors
    options = form.values()["options"]
    assert options.include == ("INBOX", "Sent")
    assert (options.max_age_days, options.max_message_bytes) == (30, 25_000_000)
    assert (options.bytes_per_second, options.subscribe) == (500_000, False)


@pytest.mark.django_db
def test_a_folder_cannot_be_both_wanted_and_left_out() -> None:
    form = JobForm(job_data(include="Sent", exclude="Sent"))
    assert "both lists" in str(form.errors["exclude"])


@pytest.mark.django_db
def test_editing_starts_from_the_job_and_needs_no_password() -> None:
    options = {"include": ["INBOX", "Sent"], "max_message_bytes": 5_000_000}
    job = JobFactory(source_server=ServerFactory(), destination_server=None, options=options)
    form = JobForm(job=job)
    assert form["include"].value() == "INBOX\nSent"
    assert form["max_size_mb"].value() == 5
    assert form.opens_options
    data = job_data(source_password="", destination_password="", destination_server="")
    assert JobForm(data, job=job).is_valid()


@pytest.mark.django_db
def test_options_stay_closed_while_none_is_set() -> None:
    assert not JobForm().opens_options
    assert not JobForm(job=JobFactory(options=Options().as_json())).opens_options


@pytest.mark.django_db
def test_erased_passwords_are_asked_for_again() -> None:
    job = JobFactory(source_password="", destination_password="")
    form = JobForm(job_data(source_password="", destination_password=""), job=job)
    assert set(form.errors) == {"source_password", "destination_password"}


@pytest.mark.parametrize("value", ["0", "65", "-1", "many", ""])
def test_limits_have_bounds(value: str) -> None:
    form = LimitsForm({"concurrency": value, "per_source_host": "4"}, limits=Limits())
    assert form.errors["concurrency"]
