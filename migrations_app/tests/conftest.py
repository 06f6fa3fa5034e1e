"""IMAP servers for the tests of migrations."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from migrations_app.engines.base import Engine
from migrations_app.engines.builtin.engine import BuiltinEngine
from migrations_app.engines.builtin.troubles import TroubleError
from migrations_app.engines.imapsync.command import ImapsyncEngine
from migrations_app.imap import survey as imap_survey
from migrations_app.imap.survey import Found
from migrations_app.running import start
from migrations_app.tests.dovecot import DOVECOT, MISSING, Dovecot, Pair, SilentServer, make_pair
from purelymanage.core.errors import UnavailableError


@pytest.fixture(scope="session")
def _session_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    if DOVECOT is None:
        pytest.skip(MISSING)
    pair = make_pair(tmp_path_factory.mktemp("certificates"))
    yield pair
    pair.stop()


@pytest.fixture
def imap_pair(_session_pair: Pair, settings: object) -> Pair:
    """Two running servers for the whole session, trusted; add users of your own to them."""
    settings.IMAP_CA_FILE = str(_session_pair.ca_file)
    return _session_pair


@pytest.fixture
def own_pair(tmp_path: object) -> Iterator[Pair]:
    """Two servers of this test alone: to stop, kill and restart."""
    if DOVECOT is None:
        pytest.skip(MISSING)
    pair = make_pair(tmp_path)
    yield pair
    pair.stop()


@pytest.fixture(scope="session")
def plain_server(_session_pair: Pair) -> Iterator[Dovecot]:
    """A server that knows no TLS at all."""
    server = Dovecot(_session_pair.source.certificates, tls=False)
    yield server
    server.remove()


@pytest.fixture(scope="session")
def self_signed_server(_session_pair: Pair) -> Iterator[Dovecot]:
    """A server whose certificate nobody vouches for."""
    server = Dovecot(_session_pair.source.certificates, self_signed=True)
    yield server
    server.remove()


@pytest.fixture
def silent_server() -> Iterator[SilentServer]:
    """A server that accepts connections and stays silent."""
    server = SilentServer()
    yield server
    server.close()


@pytest.fixture
def imapsync(settings: object) -> ImapsyncEngine:
    """The real imapsync; the test is skipped where IMAPSYNC_PATH does not answer."""
    found = ImapsyncEngine()
    try:
        found.version()
    except UnavailableError as error:
        pytest.skip(error.message)
    return found


@pytest.fixture(params=["builtin", pytest.param("imapsync", marks=pytest.mark.imapsync)])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Every engine in turn."""
    if request.param == "builtin":
        return BuiltinEngine()
    return request.getfixturevalue("imapsync")


@pytest.fixture
def strict(settings: object) -> object:
    """As in production."""
    settings.IMAP_ALLOW_LOCAL = False
    settings.IMAP_PORTS = [143, 993]
    return settings


@pytest.fixture
def no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def connected(*_args: object, **_options: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket, "create_connection", connected)


@pytest.fixture
def survey(monkeypatch: pytest.MonkeyPatch) -> type:
    """What mailboxes hold, without a server; counts who is where at a time."""

    class Survey:
        found = Found(folders=3, messages=100, bytes=5_000_000)
        crowd = 0
        """So many looks begin before one of them ends."""
        asked: list[tuple[str, str, str]] = []
        most: Counter[str] = Counter()
        troubles: dict[str, TroubleError] = {}

    Survey.asked, Survey.most, Survey.troubles = [], Counter(), {}
    now, lock = Counter(), threading.Condition()

    def look(end, password, *, side, options, measures):
        with lock:
            Survey.asked.append((end.host, end.user, password))
            for place in (end.host, "all"):
                now[place] += 1
                Survey.most[place] = max(Survey.most[place], now[place])
            lock.notify_all()
            lock.wait_for(lambda: Survey.most["all"] >= Survey.crowd, 20)
        if Survey.crowd:
            time.sleep(0.05)
        with lock:
            now[end.host] -= 1
            now["all"] -= 1
        if end.user in Survey.troubles:
            raise Survey.troubles[end.user]
        return Survey.found

    monkeypatch.setattr(imap_survey, "survey", look)
    monkeypatch.setattr(start, "place_problem", lambda *_place, in_plain: "")
    return Survey
