"""One frozen settings object, read from the environment once per process."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, AliasChoices, Field, SecretStr, ValidationError
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ai_platform.errors import BadValue

__all__ = ["CHECKOUT", "Settings", "settings"]

CHECKOUT = Path(__file__).resolve().parents[1]
"""The folder that holds `alembic.ini`, `models/` and `migrations/`."""

_LONGEST_S: Final = 2_147_483
"""The longest time PostgreSQL takes: its settings are milliseconds in 31 bits."""
_SHORTEST_S: Final = 0.001
"""One millisecond; less would round down to 0."""


def _off_or_felt(seconds: float) -> float:
    """Refuse what would round down to zero, which means: no limit."""
    if 0 < seconds < _SHORTEST_S:
        raise PydanticCustomError("too_short", "Input should be 0 or at least 0.001")
    return seconds


_Time = Annotated[float, Field(ge=_SHORTEST_S, le=_LONGEST_S, allow_inf_nan=False)]
_TimeOrNone = Annotated[
    float, Field(ge=0, le=_LONGEST_S, allow_inf_nan=False), AfterValidator(_off_or_felt)
]


class Settings(BaseSettings):
    """Where the database is and how the runner behaves; times are seconds."""

    # an empty variable is how a shell or a compose file says: not set
    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, env_ignore_empty=True
    )

    database_url: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("DATABASE_URL", "POSTGRES_URL")
    )
    pg_bin: Path | None = Field(default=None, validation_alias="PLATFORM_PG_BIN")
    pgdata: Path = Field(
        default=CHECKOUT / ".pgdata", validation_alias="PLATFORM_PGDATA"
    )
    secrets: Path | None = Field(default=None, validation_alias="PLATFORM_SECRETS")
    lock_wait_s: _Time = Field(default=600.0, validation_alias="PLATFORM_LOCK_WAIT")
    lock_timeout_s: _Time = Field(default=4.0, validation_alias="PLATFORM_LOCK_TIMEOUT")
    statement_timeout_s: _TimeOrNone = Field(
        default=0.0, validation_alias="PLATFORM_STATEMENT_TIMEOUT"
    )
    archive: Path | None = Field(default=None, validation_alias="PLATFORM_ARCHIVE")
    retry_for_s: _TimeOrNone = Field(
        default=120.0, validation_alias="PLATFORM_RETRY_FOR"
    )


@cache
def settings() -> Settings:
    """Return the settings of this process.

    Raises BadValue naming the variable, never its value.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise BadValue(
            f"environment variable {name}: {first['msg'].lower()}",
            hint=f"unset {name} or give it a usable value",
        ) from None
