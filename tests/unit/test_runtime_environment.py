"""What a service's environment says is understood, or refused by its name."""

from __future__ import annotations

import pytest

from ai_platform.errors import BadValue
from ai_platform.runtime import LogWriter
from ai_platform.runtime import _environment as environment


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2s", 2.0),
        ("500ms", 0.5),
        ("1m30s", 90.0),
        ("1h2m3.5s", 3723.5),
        (".5s", 0.5),
        ("1.s", 1.0),
        ("250us", 0.00025),
        ("250\N{MICRO SIGN}s", 0.00025),
        ("250\N{GREEK SMALL LETTER MU}s", 0.00025),
        ("100ns", 1e-7),
        ("0", 0.0),
    ],
)
def test_durations_are_those_of_go(text: str, seconds: float) -> None:
    """What the founding clients put into their environment means the same here."""
    assert environment.seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["2", "s", "-1s", "+1s", "1 s", "1s ", "1d", "1e3s", "", ".", "1s2", "٢s"]
)
def test_no_other_duration_is_guessed(text: str) -> None:
    """A number without its unit is a question, not two seconds or two days."""
    with pytest.raises(BadValue, match="not a duration"):
        environment.seconds(text)


@pytest.mark.parametrize("text", ["2", "never", "0", "0s", "-1s"])
def test_a_bad_duration_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Whoever reads the error knows what to mend."""
    monkeypatch.setenv("PB_LOG_FLUSH_INTERVAL", text)

    with pytest.raises(BadValue, match="PB_LOG_FLUSH_INTERVAL") as caught:
        LogWriter("dbname=x")

    assert "500ms" in str(caught.value.hint)


@pytest.mark.parametrize(
    "text", ["0", "-1", "1e3", "many", "1.5", "\N{ARABIC-INDIC DIGIT FIVE}", "9" * 5000]
)
@pytest.mark.parametrize("name", ["PB_LOG_BUFFER_SIZE", "PB_LOG_BATCH_SIZE"])
def test_a_bad_count_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    """Sizes are whole numbers above zero, in plain digits."""
    monkeypatch.setenv(name, text)

    with pytest.raises(BadValue, match=name):
        LogWriter("dbname=x")


def test_the_environment_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes, interval, node and database come from the PB_ variables."""
    monkeypatch.setenv("PB_LOG_BUFFER_SIZE", "70")
    monkeypatch.setenv("PB_LOG_BATCH_SIZE", " 7 ")
    monkeypatch.setenv("PB_LOG_FLUSH_INTERVAL", "1m30s")
    monkeypatch.setenv("PB_NODE_ID", "node-9")
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://u@h/d")

    options = LogWriter()._options

    assert (options.buffer_size, options.batch_size) == (70, 7)
    assert options.flush_interval_s == 90
    assert options.application_name == "log_writer node-9"
    assert options.conninfo == "postgresql://u@h/d"


def test_arguments_come_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the code says is not overruled from outside."""
    monkeypatch.setenv("PB_LOG_BATCH_SIZE", "7")
    monkeypatch.setenv("DATABASE_URL", "postgresql://u@h/other")

    options = LogWriter("host=h dbname=d", batch_size=3)._options

    assert (options.batch_size, options.conninfo) == (3, "host=h dbname=d")


@pytest.mark.parametrize(
    "arguments",
    [
        {"buffer_size": 0},
        {"batch_size": -1},
        {"batch_size": 2.5},
        {"batch_size": "10"},
        {"flush_interval_s": 0},
        {"flush_interval_s": float("nan")},
        {"flush_timeout_s": float("inf")},
        {"flush_timeout_s": -1.0},
    ],
)
def test_a_bad_argument_is_named(arguments: dict[str, float]) -> None:
    """Zero is refused like anything else of no use, not taken for "not given"."""
    with pytest.raises(BadValue, match=next(iter(arguments))):
        LogWriter("dbname=x", **arguments)  # type: ignore[arg-type]


def test_a_batch_fits_into_the_buffer() -> None:
    """A batch that the buffer cannot hold would never be full."""
    assert LogWriter("dbname=x", buffer_size=5)._options.batch_size == 5


def test_no_database_is_said_with_a_hint() -> None:
    """Without an address the writer does not guess one."""
    with pytest.raises(BadValue, match="no database named") as caught:
        LogWriter()

    assert "DATABASE_URL" in str(caught.value.hint)


@pytest.mark.parametrize(
    "conninfo",
    ["host=h password='open sesame", "postgresql://u:sesame@h:p:1/d?x", "sesame"],
)
def test_a_broken_address_shows_no_password(conninfo: str) -> None:
    """Libpq quotes what it does not understand; that may be the password."""
    with pytest.raises(BadValue) as caught:
        LogWriter(conninfo)

    assert "sesame" not in f"{caught.value} {caught.value.hint}"
    assert caught.value.__suppress_context__
