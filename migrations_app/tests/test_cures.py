"""Every cause has its sentence and its cure, and every exit value its cause."""

from __future__ import annotations

import signal

import pytest

from migrations_app.engines.base import Progress
from migrations_app.engines.builtin.troubles import Exit
from migrations_app.engines.causes import Cause
from migrations_app.engines.cures import CURES, RETRY_MINUTES, Remedy
from migrations_app.engines.imapsync.parser import trouble_of
from migrations_app.engines.plan import Endpoint, Plan
from migrations_app.engines.sentences import sentence_for
from migrations_app.engines.troubles import BOTH_ENDS, Stage, Trouble, cause_of
from migrations_app.engines.verdicts import STATUS_CAUSES, Facts, judge

pytestmark = pytest.mark.once

PLAN = Plan(
    Endpoint("old.example", 993, "tls", "a"), Endpoint("new.example", 993, "tls", "b"), False
)
IMAPSYNC = {1, 8, 10, 12, 16, 21, 64, 66, 69, 70, 101, 102, *range(111, 121), 161, 162, 254}
"""Its exit values; 0, 6 and 7 end a run without a cause or by a stop."""
NEVER_ALONE = {
    Cause.STOPPED,
    Cause.MESSAGES_MISSING,
    Cause.NO_APP_PASSWORD,
    Cause.PURELYMAIL_SILENT,
    Cause.PASSWORDS_ERASED,
    Cause.KEY_MISSING,
    Cause.WORKER_HOST,
    Cause.WORKER_CRASHED,
}
"""Those whose sentence is written where they are found."""


def test_every_cause_has_a_cure() -> None:
    assert CURES.keys() == set(Cause)


def test_a_wrong_password_is_never_tried_again_by_itself() -> None:
    for cause in (Cause.SOURCE_PASSWORD, Cause.DESTINATION_PASSWORD, Cause.SIGN_IN_REFUSED):
        assert CURES[cause].remedy == Remedy.PASSWORD


def test_what_needs_a_person_is_not_tried_again() -> None:
    alone = {cause for cause in Cause if CURES[cause].remedy in (Remedy.RETRY, Remedy.RESUME)}
    passing = {"unreachable", "busy", "throttled", "lost"}
    assert alone == {
        *(cause for kind in passing for cause in BOTH_ENDS[kind]),
        Cause.CONNECTION_LOST,
        Cause.ALREADY_RUNNING,
        Cause.ENGINE_CRASHED,
        Cause.WORKER_HOST,
        Cause.WORKER_CRASHED,
        Cause.BUDGET_SPENT,
        Cause.PURELYMAIL_SILENT,
    }
    assert RETRY_MINUTES == (5, 10, 20)


def test_only_causes_of_one_end_close_a_host() -> None:
    closing = {cause for cause in Cause if CURES[cause].closes_for}
    of_ends = {cause for pair in BOTH_ENDS.values() for cause in pair}
    assert closing == {*of_ends, Cause.PURELYMAIL_SILENT}
    assert all(cause.end in ("source", "destination") for cause in closing)
    assert Cause.DESTINATION_FULL.end is None


def test_a_wrong_password_is_the_fault_of_its_batch_and_nothing_else_is() -> None:
    of_batches = {cause for cause in Cause if CURES[cause].is_of_batch}
    assert of_batches == set(BOTH_ENDS["password"])


@pytest.mark.parametrize("status", sorted(IMAPSYNC | {126, 127}))
def test_every_exit_value_has_a_cause_with_a_sentence_and_a_next_step(status: int) -> None:
    verdict = judge(PLAN, status, Progress(), Facts(has_ended=True))
    assert (verdict.state, verdict.cause) == ("failed", STATUS_CAUSES[status])
    assert verdict.sentence.endswith(".")
    assert verdict.sentence.count(".") >= 2 or "It said" in verdict.sentence
    assert "{" not in verdict.sentence


def test_no_exit_value_of_the_builtin_engine_is_without_a_cause() -> None:
    assert {int(value) for value in Exit} - {0, 6, 111} == {
        value for value in Exit if STATUS_CAUSES.get(value, Cause.UNKNOWN) != Cause.UNKNOWN
    }


@pytest.mark.parametrize("cause", sorted(set(Cause) - NEVER_ALONE))
def test_every_cause_has_a_sentence_of_its_own(cause: Cause) -> None:
    sentence = sentence_for(cause, PLAN, 99, [])
    unknown = sentence_for(Cause.UNKNOWN, PLAN, 99, [])
    assert (sentence == unknown) == (cause == Cause.UNKNOWN)


@pytest.mark.parametrize("status", [-99, 2, 77, 110, 121, 200, 255])
@pytest.mark.parametrize("has_ended", [True, False])
def test_an_unknown_status_is_shown_as_it_is(status: int, *, has_ended: bool) -> None:
    verdict = judge(PLAN, status, Progress(), Facts(has_ended=has_ended))
    assert str(abs(status)) in verdict.sentence


@pytest.mark.parametrize("status", [1, 2, 70, 104, 113, 255])
def test_an_engine_that_died_is_tried_again_whatever_happened_to_some_messages(status: int) -> None:
    facts = Facts(has_started_copying=True, has_ended=status == 70)
    facts.add(Trouble("flags", 2, "could not add flags: NO [CANNOT] no"))
    facts.add(Trouble("append", 2, "NO [LIMIT] too large"))
    verdict = judge(PLAN, status, Progress(messages_total=9, messages_done=3), facts)
    assert (verdict.state, verdict.cause) == ("failed", Cause.ENGINE_CRASHED)
    facts.add(Trouble("lost", 1, "Connection reset by peer"))
    assert judge(PLAN, status, Progress(), facts).cause == Cause.SOURCE_LOST


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_signal_is_known_through_a_script_around_the_engine(number: signal.Signals) -> None:
    verdict = judge(PLAN, 128 + number, Progress(), Facts())
    assert verdict == judge(PLAN, -number, Progress(), Facts())
    assert (verdict.state, verdict.cause) == ("interrupted", Cause.STOPPED)


def test_an_unknown_text_is_shown_raw_cut_and_on_one_line() -> None:
    facts = Facts(has_ended=True)
    facts.add(Trouble("other", 0, "Something <b>odd</b>\x1b[31m\nhappened " + "x" * 5000))
    verdict = judge(PLAN, 111, Progress(), facts)
    assert verdict.cause == Cause.UNKNOWN
    assert "It said: Something <b>odd</b> [31m happened xxx" in verdict.sentence
    assert len(verdict.sentence) < 400
    assert verdict.sentence.isprintable()


@pytest.mark.parametrize(
    "said",
    [
        "NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)",
        "NO [UNAVAILABLE] Temporary authentication failure.",
        "NO [SERVERBUG] Internal error occurred. Refer to server log.",
        "NO Too many login attempts, please try again later",
        "BAD Request is throttled. Suggested Backoff Time: 299961 milliseconds",
        "NO [INUSE] Mailbox in use",
        "NO Server is busy",
        "NO [UNAVAILABLE] Too many failed attempts, try again later",
    ],
)
@pytest.mark.parametrize("stage", ["login", "fetch"])
def test_a_server_that_asks_for_time_is_not_taken_for_a_wrong_password(
    said: str, stage: Stage
) -> None:
    assert cause_of(Trouble(stage, 1, said)) == Cause.SOURCE_THROTTLED


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("NO [ALERT] Too many simultaneous connections. (Failure)", "busy"),
        ("NO [LIMIT] LOGIN Rate limit hit", "busy"),
        ("NO [OVERQUOTA] Not now", "throttled"),
        ("NO [UNAVAILABLE] User is locked by another process", "throttled"),
        ("NO [INUSE] User is locked by another process", "throttled"),
    ],
)
def test_a_sign_in_that_a_server_puts_off_is_tried_again(said: str, kind: str) -> None:
    for trouble in told_by_both_engines(said):
        cause = cause_of(trouble)
        assert cause == BOTH_ENDS[kind][0]
        assert CURES[cause].remedy == Remedy.RETRY


def told_by_both_engines(said: str) -> list[Trouble]:
    """A sign-in refused at the source; the address holds words that a throttle has too."""
    user = "temporary.server-is-busy@old.example"
    line = f"Host1 failure: Error login on [throttled.example] with user [{user}] auth [LOGIN]: "
    return [Trouble("login", 1, said.removeprefix("NO ")), trouble_of(f"{line}4 {said}")]


def test_a_sign_in_that_met_a_fault_of_the_server_proves_no_wrong_password() -> None:
    assert cause_of(Trouble("login", 2, "NO Internal error")) == Cause.DESTINATION_THROTTLED
    assert cause_of(Trouble("fetch", 1, "NO Internal error")) == Cause.MESSAGES_UNREADABLE


@pytest.mark.parametrize(
    "said",
    [
        "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)",
        "NO [ALERT] Application-specific password required (Failure)",
        "NO [ALERT] Please log in via your web browser: Web login required (Failure)",
        "NO LOGIN failed.",
        "NO [AUTHENTICATIONFAILED] Authentication failed, please try again later.",
        "NO [AUTHENTICATIONFAILED] Too many failed attempts",
        "NO [AUTHENTICATIONFAILED] Temporary lockout: too many login attempts",
        "NO [AUTHENTICATIONFAILED] Too many simultaneous connections",
        "NO [AUTHENTICATIONFAILED] Plaintext authentication disallowed",
        "NO [AUTHORIZATIONFAILED] Not allowed, try again later",
        "NO [EXPIRED] Password expired, temporarily no access",
        "NO Your account is temporarily locked",
        "NO Too many failed login attempts, try again later",
    ],
)
def test_what_only_the_right_password_cures_is_a_wrong_one(said: str) -> None:
    for trouble in told_by_both_engines(said):
        assert cause_of(trouble) == Cause.SOURCE_PASSWORD


@pytest.mark.parametrize("wrong", [1, 2])
def test_a_wrong_password_is_not_hidden_by_an_end_that_is_away(wrong: int) -> None:
    away = 3 - wrong
    facts = Facts()
    facts.add(Trouble("login", away, "timed out"))
    facts.add(Trouble("login", wrong, "[AUTHENTICATIONFAILED] Authentication failed."))
    verdict = judge(PLAN, 160 + away, Progress(), facts)
    assert verdict.cause == BOTH_ENDS["password"][wrong - 1]
    assert "refused the sign-in" in verdict.sentence
    assert f"{'old' if away == 1 else 'new'}.example was lost" in verdict.sentence


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("NO [OVERQUOTA] Not enough disk quota", Cause.DESTINATION_FULL),
        ("NO Quota exceeded", Cause.DESTINATION_FULL),
        ("NO [LIMIT] Mailbox quota exceeded", Cause.DESTINATION_FULL),
        ("NO The quota has been exceeded", Cause.DESTINATION_FULL),
        ("NO [ALERT] You exceeded your mail quota", Cause.DESTINATION_FULL),
        ("NO Mailbox is over quota", Cause.DESTINATION_FULL),
        ("NO Mailbox full", Cause.DESTINATION_FULL),
        ("NO Message too large", Cause.MESSAGES_TOO_LARGE),
        ("NO [TOOBIG] Message size exceeds limit", Cause.MESSAGES_TOO_LARGE),
        ("NO [CANNOT] 8-bit data in headers", Cause.MESSAGES_REFUSED),
    ],
)
def test_why_a_message_was_not_taken_is_told_without_a_response_code_too(
    said: str, cause: Cause
) -> None:
    folder = "could not append ( Subject:[…], Size:[9] ) to folder Too large: 7 "
    for text in (said, folder + said):
        assert cause_of(Trouble("append", 2, text)) == cause


def test_a_server_that_hangs_up_on_imapsync_is_waited_for() -> None:
    facts = Facts()
    facts.add(Trouble("append", 2, "NO [LIMIT] too large"))
    verdict = judge(PLAN, -signal.SIGPIPE, Progress(), facts)
    assert (verdict.state, verdict.cause) == ("failed", Cause.CONNECTION_LOST)
    assert "too large" not in verdict.sentence


def test_a_day_whose_volume_is_used_up_is_no_failure_of_its_messages() -> None:
    facts = Facts()
    facts.add(Trouble("append", 2, "NO [LIMIT] too large"))
    assert judge(PLAN, 118, Progress(), facts).cause == Cause.BUDGET_SPENT
