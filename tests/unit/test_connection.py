from __future__ import annotations

import pytest
from sqlalchemy import make_url

from ai_platform.connection import Target, connect, resolve
from ai_platform.errors import BadValue, CannotConnect, PlatformError
from tests.support.environment import clean_environment
from tests.support.programs import run_program

NOWHERE = "127.0.0.1:9/x?connect_timeout=1"


@pytest.mark.parametrize(
    ("url", "shown", "password"),
    [
        ("postgresql://u:pw@h:1/x", "postgresql://u@h:1/x", "pw"),
        ("postgres://u:pw@h/x", "postgresql://u@h/x", "pw"),
        ("postgresql+psycopg://u@h/x", "postgresql://u@h/x", None),
        ("postgresql://u:@h/x", "postgresql://u@h/x", ""),
        ("postgresql://u:p%40w%2F@h/x", "postgresql://u@h/x", "p@w/"),
        ("postgresql://u%40d:pw@h/x", "postgresql://u%40d@h/x", "pw"),
        ("postgresql://u:pw@[::1]:5/x", "postgresql://u@[::1]:5/x", "pw"),
        ("postgresql://u:pw@a:1,b:2/x", "postgresql://u@a:1,b:2/x", "pw"),
        ("postgresql:///x?host=/run/s", "postgresql:///x?host=/run/s", None),
        ("postgresql://%2Ftmp/x", "postgresql://%2Ftmp/x", None),
        ("postgresql://u@/x?host=/a%20b", "postgresql://u@/x?host=/a%20b", None),
        ("postgresql://u@h/x?password=a+b%20", "postgresql://u@h/x", "a+b "),
        ("postgresql://u:no@h/x?password=pw", "postgresql://u@h/x", "pw"),
        (
            "postgresql://u@h/x?sslpassword=pw&sslmode=require",
            "postgresql://u@h/x?sslmode=require",
            None,
        ),
    ],
)
def test_a_url_is_shown_without_password(
    url: str, shown: str, password: str | None
) -> None:
    """People see where, never with which secret; programs get the secret decoded."""
    target = resolve(url)

    assert target.shown == shown
    assert target.password == password


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:s@h:1/x?sslmode=require",
        "postgresql://u:s@a:1,b:2/x",
        "postgresql:///x?host=/run/s&port=7",
        "postgresql://u@[::1]:5/x",
    ],
)
def test_another_database_of_the_same_server(url: str) -> None:
    """Only the name changes, and a hostile one stays one name."""
    target = resolve(url)
    there = target.with_database('a/"b?c@d')

    assert there.database == 'a/"b?c@d'
    assert there.with_database("x") == target


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("postgresql://u:p%40@h:1/x", ["h"]),
        ("postgresql://u:p%40@a:1,b:2/x", ["a,b"]),
        ("postgresql://u:p%40@%2Frun%2Fs/x", ["/run/s"]),
        ("postgresql://u:p%40@/x?host=/run/s", ["/run/s"]),
    ],
)
def test_sqlalchemy_reads_the_same(url: str, host: list[str]) -> None:
    """Login, password, host and database mean the same to SQLAlchemy."""
    read = make_url(resolve(url).sqlalchemy_url)
    _, options = read.get_dialect()().create_connect_args(read)

    assert (options["user"], options["password"]) == ("u", "p@")
    assert [options["host"]] == host
    assert options["dbname"] == "x"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:se@cret@h/x",
        "postgresql://u:12/sec@h",
        "postgresql://u:12?sec@h",
        "postgresql://u:12#sec@h",
        "postgresql://u@h/x?password=sec ret",
        "postgresql://u@h/x?password=sec#ret",
        "postgresql://u@h/x?password=sec@ret",
        "postgresql://u:sec\tret@h/x",
        "postgresql://u:sec[ret@h,[/x",
        "postgresql://u@h:secret/x",
    ],
)
def test_an_ambiguous_url_is_refused_unseen(url: str) -> None:
    """Where a password might end twice, we ask for encoding and repeat nothing."""
    with pytest.raises(BadValue) as caught:
        resolve(url)

    told = f"{caught.value.message} {caught.value.hint}"
    assert "percent-encode" in told
    assert not [part for part in ("sec", "cret", "12") if part in told]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:100%secret@h/x",
        "postgresql://u@h/x?password=%zzsecret",
        "postgresql://u@h/x?secret",
        "postgresql://u@h/x?secret=1",
        "postgresql://u:secret%00@h/x",
    ],
)
def test_what_libpq_cannot_read_is_not_quoted(url: str) -> None:
    """Libpq quotes the part it stumbled over; that part may be the password."""
    with pytest.raises(BadValue) as caught:
        connect(resolve(url))

    assert "-x url" in caught.value.message
    assert "secret" not in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize("secret", ["se%2Fcret", "se/cret"])
def test_an_error_is_masked(secret: str) -> None:
    """A secret that an error text does repeat is masked, decoded or not."""
    for url in (
        f"postgresql://u:se%2Fcret@{NOWHERE}",
        f"postgresql://u@{NOWHERE}&password=se%2Fcret",
        f"postgresql://u@{NOWHERE}&sslpassword=se%2Fcret",
    ):
        assert Target(url, "").without_secrets(f"a {secret} b") == "a *** b"


@pytest.mark.parametrize(
    "url",
    [f"postgresql://u:secret@{NOWHERE}", f"postgresql://u@{NOWHERE}&password=secret"],
)
def test_a_closed_door_shows_no_password(url: str) -> None:
    """The error of a server that is not there names the place alone."""
    target = resolve(url)
    with pytest.raises(CannotConnect) as caught:
        connect(target)

    assert f"cannot connect to {target.shown}" in caught.value.message
    assert "secret" not in caught.value.message


def test_a_program_tells_no_password() -> None:
    """The whole way: what reaches stderr names the variable, not its value."""
    env = clean_environment(DATABASE_URL="postgresql://u:se@cret@h/x")
    done = run_program("alembic", "current", env=env)

    assert done.returncode == BadValue.exit_code
    assert "DATABASE_URL" in done.stderr
    assert "cret" not in done.stdout + done.stderr


def test_programs_say_which_database_they_took() -> None:
    """Before anything can fail, Alembic names place and source; `db url` prints it."""
    env = clean_environment(DATABASE_URL=f"postgresql://u:secret@{NOWHERE}")
    shown = f"postgresql://u@{NOWHERE}"

    current = run_program("alembic", "current", env=env)
    assert f"database: {shown} (DATABASE_URL)" in current.stderr
    assert run_program("platform", "db", "url", env=env).stdout == f"{shown}\n"


VARIABLES = {
    "PLATFORM_LOCK_WAIT": "lock_wait_s",
    "PLATFORM_LOCK_TIMEOUT": "lock_timeout_s",
    "PLATFORM_STATEMENT_TIMEOUT": "statement_timeout_s",
    "PLATFORM_RETRY_FOR": "retry_for_s",
}
MAY_BE_ZERO = {"PLATFORM_STATEMENT_TIMEOUT", "PLATFORM_RETRY_FOR"}


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize(
    "value", ["0.0009", "-1", "inf", "nan", "1e12", "2147484", "soon"]
)
def test_a_time_postgresql_cannot_hold_is_refused(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit is never silently none; the variable is named."""
    from ai_platform.settings import settings  # noqa: PLC0415 - read anew

    settings.cache_clear()
    monkeypatch.setenv(variable, value)
    with pytest.raises(PlatformError, match=variable) as caught:
        settings()

    assert caught.value.exit_code == 2


@pytest.mark.parametrize("variable", VARIABLES)
def test_the_edges_of_a_time_are_taken(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One millisecond and 24 days are times; zero only where it means something."""
    from ai_platform.settings import settings  # noqa: PLC0415 - read anew

    for value in ("0.001", "2147483", *(["0"] if variable in MAY_BE_ZERO else [])):
        settings.cache_clear()
        monkeypatch.setenv(variable, value)
        assert getattr(settings(), VARIABLES[variable]) == float(value)
    if variable not in MAY_BE_ZERO:
        settings.cache_clear()
        monkeypatch.setenv(variable, "0")
        with pytest.raises(BadValue, match=variable):
            settings()


def test_a_bad_time_is_a_usage_error() -> None:
    """The whole way: exit 2 and one line, not a traceback."""
    env = clean_environment(
        DATABASE_URL=f"postgresql://u@{NOWHERE}", PLATFORM_LOCK_TIMEOUT="inf"
    )
    done = run_program("platform", "db", "upgrade", env=env)

    assert done.returncode == 2
    assert "PLATFORM_LOCK_TIMEOUT" in done.stderr
    assert "Traceback" not in done.stderr
