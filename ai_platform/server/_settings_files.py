"""The text of the settings files that an embedded server starts with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._home import PORT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["access", "names", "server"]

_HEAD = "# Written by `platform up` at every start."
_MAP = "platform"
_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "lc_messages": "C",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d %a ",
    "default_text_search_config": "pg_catalog.english",
}


def server(socket_dir: Path, options: Mapping[str, str]) -> str:
    """Return server.conf: our settings, the user's local.conf, then *options*."""
    places = {
        # relative to the folder the server is started in
        "hba_file": "pg_hba.conf",
        "ident_file": "pg_ident.conf",
        # a list: each entry in double quotes, so that spaces stay inside
        "unix_socket_directories": '"' + str(socket_dir).replace('"', '""') + '"',
    }
    own = [_line(name, value) for name, value in {**_SETTINGS, **places}.items()]
    return "\n".join(
        [
            f"{_HEAD} Your own settings go to local.conf.",
            *own,
            "include_if_exists = 'local.conf'",
            *(_line(name, value) for name, value in options.items()),
            "",
        ]
    )


def access() -> str:
    """Return pg_hba.conf: the socket only, and who you are is what the kernel says."""
    return f"{_HEAD}\nlocal  all          all  peer map={_MAP}\n"


def names(accounts: Iterable[str]) -> str:
    """Return pg_ident.conf: these accounts may log in as any role, nobody else."""
    lines = [f'{_MAP}  "{account}"  all' for account in sorted(set(accounts))]
    return "\n".join([_HEAD, *lines, ""])


def _line(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"{name} = '{escaped}'"
