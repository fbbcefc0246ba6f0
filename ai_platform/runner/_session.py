"""Settings of the two sessions of a run: the one that migrates, the one that locks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ai_platform.settings import Settings

__all__ = ["APPLICATION_NAME", "LOCK_SETTINGS", "migration_settings"]

APPLICATION_NAME: Final = "platform-migrate"

# The backend of a killed client must end, or it keeps its locks and finishes work
# nobody recorded.
_NOTICE_DEAD_CLIENT = {"client_connection_check_interval": "2s"}

LOCK_SETTINGS: Final = {
    **_NOTICE_DEAD_CLIENT,
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    # A run may take hours; the lock must not vanish because its session is quiet.
    "idle_session_timeout": "0",
    # The journal is a report, not data: it need not wait for the disk.
    "synchronous_commit": "off",
}


def migration_settings(settings: Settings) -> dict[str, str]:
    """Return the session settings of the connection that migrates.

    They are set once and committed: ``SET LOCAL`` has no effect in autocommit steps.
    """
    return {
        **_NOTICE_DEAD_CLIENT,
        "lock_timeout": f"{int(settings.lock_timeout_s * 1000)}ms",
        "statement_timeout": f"{int(settings.statement_timeout_s * 1000)}ms",
        "idle_in_transaction_session_timeout": "600s",
        "idle_session_timeout": "0",
        "default_transaction_isolation": "read committed",
        "check_function_bodies": "on",
        "client_min_messages": "notice",
        "row_security": "on",
    }
