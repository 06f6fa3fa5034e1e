"""The captured runs of imapsync, and what each of them comes to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from migrations_app.engines.causes import Cause

FOLDER = Path(settings.BASE_DIR).parent / "shared" / "imapsync" / "transcripts"
WITHOUT_COUNTS = {"mb0_imapsync_alice"}
"""351 lines of many folders are cut out of it."""


@dataclass(frozen=True)
class Run:
    """How it ended, and its messages."""

    state: str
    cause: Cause | None = None
    found: int = 0
    copied: int = 0
    present: int = 0
    skipped: int = 0
    failed: int = 0
    lost: int = 0
    """How many of those that did not arrive have a name."""

    @property
    def done(self) -> int:
        """How many were dealt with."""
        return self.copied + self.present + self.skipped + self.failed


_DONE, _ERRORS, _FAILED, _STOPPED = "done", "done_with_errors", "failed", "interrupted"
RUNS = {
    "01_success_2000": Run(_DONE, found=2000, copied=2000),
    "02_rerun_after_success": Run(_DONE, found=2000, present=2000),
    "03_dry_run": Run(_DONE, found=2000, copied=2000),
    "04_bad_password_host1": Run(_FAILED, Cause.SOURCE_PASSWORD),
    "05_bad_password_host2": Run(_FAILED, Cause.DESTINATION_PASSWORD),
    "05b_bad_password_both": Run(_FAILED, Cause.SOURCE_PASSWORD),
    "06_refused_host1": Run(_FAILED, Cause.SOURCE_UNREACHABLE),
    "07_refused_host2": Run(_FAILED, Cause.DESTINATION_UNREACHABLE),
    "08_dns_failure_host1": Run(_FAILED, Cause.SOURCE_HOST),
    "09_dns_failure_host2": Run(_FAILED, Cause.DESTINATION_HOST),
    "10_unreachable_network": Run(_FAILED, Cause.SOURCE_UNREACHABLE),
    "11_connect_timeout": Run(_FAILED, Cause.SOURCE_UNREACHABLE),
    "12_silent_server": Run(_FAILED, Cause.SOURCE_UNREACHABLE),
    "13_ssl_on_plain_port": Run(_FAILED, Cause.SOURCE_TLS),
    "14_cert_verify_fails_ssl": Run(_FAILED, Cause.SOURCE_CERTIFICATE),
    "14b_cert_verify_fails_starttls": Run(_FAILED, Cause.SOURCE_CERTIFICATE),
    "14c_selfsigned_default_accepted": Run(_FAILED, Cause.ENGINE_CRASHED),
    "15_tls_required_but_off": Run(_FAILED, Cause.SOURCE_TLS),
    "16_quota_exceeded": Run(
        _FAILED, Cause.DESTINATION_FULL, found=60, copied=10, failed=50, lost=50
    ),
    "17_server_refuses_big_message": Run(
        _ERRORS, Cause.MESSAGES_TOO_LARGE, found=6, copied=4, failed=2, lost=2
    ),
    "18_maxsize_skips": Run(_DONE, found=6, copied=4, skipped=2),
    "19_bad_option": Run(_FAILED, Cause.ENGINE_SETTINGS),
    "20_no_password_stdin_null": Run(_FAILED, Cause.SOURCE_PASSWORD),
    "21_passfile_missing": Run(_FAILED, Cause.ENGINE_SETTINGS),
    "22_no_arguments": Run(_FAILED, Cause.ENGINE_CRASHED),
    "23_exitwhenover": Run(_FAILED, Cause.BUDGET_SPENT, found=2000, copied=107),
    "24_folder_missing": Run(_ERRORS, Cause.FOLDERS_REFUSED),
    "30_sigterm_once": Run(_STOPPED, Cause.STOPPED, found=2000, copied=302),
    "31_sigterm_twice": Run(_STOPPED, Cause.STOPPED, found=2000, copied=300),
    "32_sigint_once": Run(_DONE, found=2000, copied=2000),
    "33_sigint_twice_within_2s": Run(_STOPPED, Cause.STOPPED, found=2000, copied=335),
    "34_sigquit": Run(_STOPPED, Cause.STOPPED, found=2000, copied=302),
    "35_sighup": Run(_DONE, found=2000, copied=2000),
    "36_sigkill": Run(_STOPPED, Cause.STOPPED, found=2000, copied=302),
    "37_sigint_once_docker_context": Run(_STOPPED, Cause.STOPPED, found=2000, copied=305),
    "38_sigusr1_pauses": Run(_DONE, found=2000, copied=2000),
    "39_sigterm_while_starting": Run(_STOPPED, Cause.STOPPED),
    "40_sigterm_in_big_message": Run(_STOPPED, Cause.STOPPED, found=6, copied=4),
    "41_sigterm_while_blocked": Run(_STOPPED, Cause.STOPPED),
    "42_same_pidfile_first": Run(_DONE, found=2000, copied=2000),
    "42b_same_pidfile_second": Run(_FAILED, Cause.ENGINE_CRASHED),
    "42b_same_pidfile_second_locking": Run(_FAILED, Cause.ALREADY_RUNNING),
    "43_same_pidfile_first": Run(_DONE, found=2000, copied=2000),
    "44_stale_pidfile_locking": Run(_FAILED, Cause.ENGINE_CRASHED),
    "45_pidfile_of_other_live_process": Run(_FAILED, Cause.ALREADY_RUNNING),
    "46_aborted_by_other_process": Run(_STOPPED, Cause.STOPPED, found=2000, copied=265),
    "46b_abort_caller": Run(_FAILED, Cause.ENGINE_CRASHED),
    "47_aborted_by_file": Run(_STOPPED, Cause.STOPPED, found=2000, copied=246),
    "47b_abortbyfile_caller": Run(_FAILED, Cause.ENGINE_CRASHED),
    "50_connection_lost_host1": Run(_DONE, found=2000, copied=2000),
    "51_connection_lost_host2": Run(_DONE, found=2000, copied=2000),
    "52_server_gone_host1": Run(
        _FAILED, Cause.SOURCE_LOST, found=2000, copied=305, failed=1, lost=1
    ),
    "53_server_gone_host2": Run(
        _FAILED, Cause.DESTINATION_LOST, found=2000, copied=302, failed=1, lost=1
    ),
    "54_too_many_connections_host2": Run(_FAILED, Cause.DESTINATION_BUSY),
    "55_too_many_connections_host1": Run(_FAILED, Cause.SOURCE_BUSY),
    "56_limit_one_is_enough": Run(_DONE, found=20, copied=20),
    "57_passfiles_deleted_after_login": Run(_DONE, found=400, copied=400),
    "60_rerun_after_sigkill": Run(_DONE, found=2000, copied=1296, present=704),
    "62_rerun_reports_duplicates": Run(_DONE, found=2000, present=2000),
    "63_delete2duplicates": Run(_DONE, found=2000, present=2000),
    "64_noid_first": Run(
        _ERRORS, Cause.MESSAGES_MISSING, found=200, copied=100, skipped=100, lost=100
    ),
    "65_noid_addheader": Run(_DONE, found=200, copied=200),
    "65b_noid_addheader_second": Run(_DONE, found=200, present=200),
    "66_noid_useuid": Run(_DONE, found=200, copied=200),
    "66b_noid_useuid_second": Run(_DONE, found=200, present=200),
    "67_useuid_cache_lost": Run(_DONE, found=200, copied=200),
    "70_password_on_command_line": Run(_DONE, found=2000, copied=2000),
    "71_password_in_environment": Run(_DONE, found=2000, present=2000),
    "72_passfile": Run(_DONE, found=2000, present=2000),
    "73_passfile_dev_fd": Run(_FAILED, Cause.SOURCE_PASSWORD),
    "74_dev_fd_and_reconnect": Run(_FAILED, Cause.SOURCE_PASSWORD),
    "78_debugimap_hides_password": Run(_FAILED, Cause.ENGINE_CRASHED),
    "90_oauth_token_file": Run(_DONE, found=120, copied=120),
    "90b_oauth_without_password_option": Run(_FAILED, Cause.ENGINE_CRASHED),
    "91_oauth_bad_token": Run(_FAILED, Cause.SOURCE_PASSWORD),
    "92_oauth_token_replaced_reconnect": Run(_DONE, found=2000, copied=2000),
    "mb0_imapsync_alice": Run(_DONE),
}


def text_of(name: str) -> str:
    """A captured run as it was written down."""
    return (FOLDER / f"{name}.txt").read_text(errors="replace")


def is_dry(text: str) -> bool:
    """Whether it was a dry run."""
    return " --dry" in text.split("# exit status")[0]
