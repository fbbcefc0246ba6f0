"""A project's own interpreter, asked questions: its modules never meet ours."""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from ai_platform.errors import BadValue, PlatformError, Refused
from ai_platform.settings import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Interpreter", "Place"]

TIMEOUT_S: Final = 60.0
_WORKER: Final = Path(__file__).with_name("_worker") / "start.py"
# which database ours is, and where ours looks for modules, is no business of theirs
_OURS: Final = ("DATABASE_URL", "POSTGRES_URL", "TEST_DATABASE_URL", "ALEMBIC_CONFIG")
_OUR_PREFIXES: Final = ("PG", "PLATFORM_", "PB_", "PYTHON")
_SECRET: Final = re.compile(
    r"pass|secret|token|key|url|dsn|uri|credential", re.IGNORECASE
)
_SHORTEST_SECRET: Final = 4
_LOGIN: Final = re.compile(r"(://[^\s/:@'\"]*):[^\s@'\"]*@")
_QUOTED_URL: Final = re.compile(r"(URL from [\w ]*string) '.*'", re.IGNORECASE)
_TAIL_BYTES: Final = 4_000
_FRAME: Final = re.compile(r'File "(.+)", line (\d+)')
_STACK_S: Final = 10.0
_MOST_STACK_BYTES: Final = 1 << 20
_HINTS: Final = {
    "no_alembic": "name the interpreter of the project: --python PATH",
    "old_alembic": "Alembic 1.8 or newer is needed",
    "config": "name its alembic.ini or pyproject.toml: --config PATH",
    "dialect": "only projects for PostgreSQL can be reviewed; where a variable "
    "chooses: --env NAME=postgresql://…",
    "flask": "name it: --env FLASK_APP=module:app",
    "creator": "let env.py take its URL from alembic.ini or the environment",
    "metadata": "write module:attribute, as env.py imports it",
    "driver": "install psycopg in the project's environment",
    "multidb": "review one at a time: --engine NAME; of their tests, "
    "revisions_engine = NAME",
    "engine": "name it as env.py gives it to run_migrations(): --engine NAME",
}


@dataclass(frozen=True, slots=True)
class Place:
    """An Alembic project: its configuration, its interpreter, variables it needs.

    *env* is given to env.py on top of this process's environment, *x* as the arguments
    of Alembic's ``-x``. Of several databases *engine* is the one that is meant.
    """

    config: Path
    python: Path
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    x: tuple[str, ...] = field(default=(), repr=False)
    engine: str | None = None

    @property
    def folder(self) -> Path:
        """Return the folder of the configuration, where Alembic runs."""
        return self.config.parent

    @property
    def is_ours(self) -> bool:
        """Return whether this is the project that ships with us."""
        return self.folder == CHECKOUT

    @property
    def is_apart(self) -> bool:
        """Return whether our checkout holds modules that are not this project's.

        Of an installed wheel what would be the checkout is everybody's site-packages.
        """
        return not self.is_ours and (CHECKOUT / "alembic.ini").is_file()

    @classmethod
    def of(
        cls,
        config: Path | None,
        python: Path | None,
        env: Mapping[str, str] | None = None,
        *,
        x: Iterable[str] = (),
        engine: str | None = None,
    ) -> Self:
        """Return the place of *config*, by default ours, and *python*, by default ours.

        Raises BadValue for what is not there.
        """
        file = config or CHECKOUT / "alembic.ini"
        if file.is_dir():
            file /= "alembic.ini"
        if not file.is_file():
            raise BadValue(
                f"there is no configuration {str(file)!r}",
                hint="name an alembic.ini or a pyproject.toml: --config PATH",
            )
        program = python or Path(sys.executable)
        if program.is_dir():
            program = program / "bin" / "python"
        if not (program.is_file() and os.access(program, os.X_OK)):
            raise BadValue(
                f"there is no interpreter {str(program)!r}",
                hint="--python PATH/TO/VENV/bin/python",
            )
        # the path of an interpreter of a venv is a link that says which venv it is
        variables = dict(env or {})
        return cls(file.resolve(), program.absolute(), variables, tuple(x), engine)


class Interpreter:
    """The running interpreter of *place*; answers requests until it is closed.

    *timeout_s* bounds each request; the whole process group ends with the block.
    """

    def __init__(self, place: Place, *, timeout_s: float = TIMEOUT_S) -> None:
        self._place = place
        self._timeout_s = timeout_s
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the block
        self._environment: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Start it."""
        asked, self._requests = os.pipe()
        self._answers, told = os.pipe()
        banned = str(CHECKOUT) if self._place.is_apart else ""
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the user's interpreter
                [self._place.python, _WORKER, str(asked), str(told), banned],
                cwd=self._place.folder,
                env=self._variables(),
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=self._said,
                pass_fds=[asked, told],
                start_new_session=True,
            )
        except OSError as error:
            self._close()
            raise BadValue(
                f"{str(self._place.python)!r} cannot be started: {error.strerror}",
                hint="--python PATH/TO/VENV/bin/python",
            ) from None
        finally:
            os.close(asked)
            os.close(told)
        return self

    def __exit__(self, *_: object) -> None:
        """End it, with whatever it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._close()

    def _close(self) -> None:
        os.close(self._requests)
        os.close(self._answers)
        self._said.close()

    def _variables(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in _OURS and not name.startswith(_OUR_PREFIXES)
        }
        # a review leaves nothing in their folders, not even compiled files
        self._environment = {
            **kept,
            "PYTHONDONTWRITEBYTECODE": "1",
            **self._place.env,
        }
        return self._environment

    def ask(self, action: str, *, dsn: str | None = None, **details: Any) -> Any:
        """Return the answer to *action*; with *dsn* it may connect to that database.

        Raises BadValue, where the project or what was said of it is at fault, or
        Refused, where it ran too long or ended.
        """
        request = {
            "do": action,
            "config": str(self._place.config),
            "x": self._place.x,
            "engine": self._place.engine,
            **details,
        }
        if dsn is not None:
            request["dsn"] = dsn
        try:
            os.write(self._requests, json.dumps(request).encode() + b"\n")
        except BrokenPipeError:
            raise self._ended() from None
        reply = json.loads(self._line(action))
        if "fault" in reply:
            raise self._fault(reply)
        return reply["result"]

    def _line(self, action: str) -> bytes:
        """Return the next line; a slow or dead interpreter has none."""
        until = time.monotonic() + self._timeout_s
        chunks: list[bytes] = []
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            while not (chunks and chunks[-1].endswith(b"\n")):
                left = until - time.monotonic()
                if left <= 0 or not selector.select(left):
                    raise self._too_slow(action)
                chunk = os.read(self._answers, 1 << 16)
                if not chunk:
                    raise self._ended()
                chunks.append(chunk)
        return b"".join(chunks)

    def _too_slow(self, action: str) -> PlatformError:
        """Say what takes so long, and where, as the interpreter tells when asked."""
        said = self._said.fileno()
        start = os.fstat(said).st_size
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGUSR2)
        stack, before, until = "", "", time.monotonic() + _STACK_S
        # it is written line by line, the frame of the project perhaps last
        while time.monotonic() < until and self._process.poll() is None:
            if "File" in stack and stack == before:
                break
            time.sleep(0.05)
            # the place in the file is the writer's too: reading must not move it
            found = os.pread(said, _MOST_STACK_BYTES, start)
            before, stack = stack, found.decode(errors="replace")
        return Refused(
            f"{self._innermost(stack)}the project did not {action} within "
            f"{self._timeout_s:g} s",
            hint="does it wait for something? --timeout SECONDS",
        )

    def _innermost(self, stack: str) -> str:
        """Return the innermost place of the project in *stack*, and a colon."""
        root = str(self._place.folder) + os.sep
        for file, line in _FRAME.findall(stack):
            path = os.path.realpath(file)
            if path.startswith(root) and "site-packages" not in path:
                return f"{path.removeprefix(root)}:{line}: "
        return ""

    def _ended(self) -> PlatformError:
        """Say how the interpreter ended, with the last line that it wrote."""
        try:
            code = self._process.wait(timeout=self._timeout_s)
        except subprocess.TimeoutExpired:  # it closed its mouth, and lives
            self._process.kill()
            code = self._process.wait()
        self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, self._said.tell() - _TAIL_BYTES))
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        last = f": {self.clean(lines[-1])}" if lines else ""
        return Refused(
            f"the project's interpreter ended with {code}{last}",
            hint="try `alembic history` there, with the same interpreter",
        )

    def _fault(self, reply: dict[str, Any]) -> PlatformError:
        text = self.clean(reply["text"])
        if reply["fault"] != "error":
            return BadValue(text, hint=_HINTS.get(reply["fault"]))
        place = f"{reply['place']}: " if reply["place"] else ""
        return BadValue(f"{place}{text}", hint=_advice(reply["type"], text))

    def clean(self, text: str) -> str:
        """Return *text* of the project without passwords, wherever they come from."""
        given = dict(argument.partition("=")[::2] for argument in self._place.x)
        for name, value in (*self._environment.items(), *given.items()):
            if _SECRET.search(name) and len(value) >= _SHORTEST_SECRET:
                text = text.replace(value, "***")
        return _LOGIN.sub(r"\1:***@", _QUOTED_URL.sub(r"\1", text))


def _advice(kind: str, text: str) -> str:
    """Return the next step after an exception of class *kind*."""
    if kind == "KeyError":
        name = text.rpartition(":")[2].strip().strip("'")
        return (
            f"if it is a variable of the environment: --env {name}, or {name}=VALUE; "
            f"if an argument of alembic: -x {name}=VALUE"
        )
    if kind == "ValidationError":
        return "if they are variables of the environment: --env NAME, or NAME=VALUE"
    if kind in ("ModuleNotFoundError", "ImportError"):
        return "name the interpreter that has it: --python PATH"
    if kind in ("SyntaxError", "IndentationError"):
        return "correct the file"
    if kind == "PermissionError":
        return "let this user have it, or review as one who may"
    return "try `alembic history` and `alembic upgrade head --sql` there"
