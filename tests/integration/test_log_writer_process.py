"""What becomes of the buffer when a process ends, forks or is asked to end."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.programs import CHECKOUT

if TYPE_CHECKING:
    from tests.support.database import Database

# the gate and `make torture` run them
pytestmark = pytest.mark.slow

HEAD = """
import asyncio, logging, multiprocessing, os, signal, sys, threading, time, warnings
warnings.filterwarnings('ignore', '.*fork', DeprecationWarning)
from ai_platform.runtime import AsyncLogWriter, LogWriter
# a slow machine is no fault of ours: "Executing <…> took 0.1 seconds"
logging.getLogger('asyncio').addFilter(lambda said: 'Executing' not in said.msg)
def kill(): os.kill(os.getpid(), signal.SIGTERM)
"""


def run_script(database: Database, text: str, *words: str, code: int = 0) -> str:
    """Run *text* as a service; return its output after it ended with *code*."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", HEAD + text, *words],
        env=database.environment("log_writer", PYTHONPATH=str(CHECKOUT)),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert (code, "") == (done.returncode, done.stderr), done.stdout
    return done.stdout


def stored(database: Database) -> list[str]:
    """Return the urls in the table, in order."""
    query = "SELECT url FROM request_logs ORDER BY url"
    return [url for (url,) in database.connect().execute(query).fetchall()]


def test_the_end_of_the_process_drains(database: Database) -> None:
    """A service that forgets to close loses nothing at a normal end."""
    run_script(database, "w = LogWriter()\nfor n in range(3): w.push({'url': str(n)})")

    assert stored(database) == ["0", "1", "2"]


def test_an_exception_drains(database: Database) -> None:
    """A service that falls over still tells what it did before."""
    text = """
w = LogWriter()
sys.excepthook = lambda *_: None
w.push({'url': 'last words'})
raise SystemError
"""
    run_script(database, text, code=1)

    assert stored(database) == ["last words"]


def test_with_drains_and_lets_errors_pass(database: Database) -> None:
    """The context manager closes in either kind, whatever ends the block."""
    text = """
try:
    with LogWriter() as w:
        w.push({'url': '1'})
        1 / 0
except ZeroDivisionError:
    print(w.written)
async def main():
    async with AsyncLogWriter() as w:
        w.push({'url': '2'})
        1 / 0
try:
    asyncio.run(main())
except ZeroDivisionError:
    print('passed')
"""
    assert run_script(database, text) == "1\npassed\n"
    assert stored(database) == ["1", "2"]


SYNC = """
w = LogWriter()
w.push({'url': '1'})
kill()
time.sleep(20)
"""
ASYNC = """
async def main():
    w = AsyncLogWriter()
    w.push({'url': '1'})
    asyncio.get_running_loop().call_later(0.1, kill)
    await asyncio.sleep(20)
asyncio.run(main())
"""
BOTH = """
async def main():
    s, w = LogWriter(), AsyncLogWriter()
    s.push({'url': '1'})
    w.push({'url': '2'})
    asyncio.get_running_loop().call_later(0.1, kill)
    await asyncio.sleep(20)
asyncio.run(main())
"""
AFTER = """
async def main():
    async with AsyncLogWriter() as w:
        w.push({'url': '1'})
s = LogWriter()
asyncio.run(main())
s.push({'url': '2'})
kill()
time.sleep(20)
"""
TWICE = """
w = LogWriter()
w.push({'url': '1'})
signal.signal(signal.SIGALRM, lambda *_: kill())
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
kill()
time.sleep(20)
"""


@pytest.mark.parametrize(
    ("text", "urls"),
    [(SYNC, 1), (ASYNC, 1), (BOTH, 2), (AFTER, 2), (TWICE, 1)],
    ids=["thread", "asyncio", "both", "after a loop", "twice"],
)
def test_sigterm_drains_and_ends(database: Database, text: str, urls: int) -> None:
    """The process ends by the signal, as its supervisor expects, after writing."""
    run_script(database, text, code=-15)

    assert len(stored(database)) == urls


def test_the_first_process_of_a_container_ends(database: Database) -> None:
    """Linux ignores a default for process 1; a service there is ended all the same."""
    text = """
import subprocess
run = ['unshare', '--pid', '--fork', '--kill-child', sys.executable, '-c', sys.argv[1]]
done = subprocess.run(run, capture_output=True, text=True, timeout=90)
print(done.returncode, done.stderr)
"""
    service = HEAD + SYNC.replace("kill()", "assert os.getpid() == 1\nkill()")
    told = run_script(database, text, service)
    if "Operation not permitted" in told:
        pytest.skip("a name space of processes needs root")

    assert told.split() == ["143"]
    assert stored(database) == ["1"]


def test_a_handler_of_the_service_decides(database: Database) -> None:
    """Where SIGTERM is handled already nothing of ours gets in between."""
    text = """
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
w = LogWriter()
w.push({'url': '1'})
kill()
"""
    run_script(database, text, code=7)

    assert stored(database) == ["1"]


def test_a_signal_within_push_does_not_lock_up(database: Database) -> None:
    """SIGTERM may come between any two steps of push, flush and close."""
    text = """
import random
w = LogWriter(flush_interval_s=0.01, batch_size=5)
signal.signal(signal.SIGALRM, lambda *_: kill())
signal.setitimer(signal.ITIMER_REAL, random.uniform(0.1, 0.3))
while True:
    w.push({'url': 'x'})
    w.push({'url': 'x\\0'})
    w.flush(0.001)
"""
    run = text.replace("LogWriter(", "LogWriter(fallback=lambda _: None, ")
    for _ in range(3):
        run_script(database, run, code=-15)


def test_closing_in_a_handler_is_fine(database: Database) -> None:
    """A handler that closes while the main thread pushes ends in exact books."""
    text = """
w = LogWriter(flush_interval_s=0.01, buffer_size=200)
signal.signal(signal.SIGTERM, lambda *_: w.close())
signal.signal(signal.SIGALRM, lambda *_: kill())
signal.setitimer(signal.ITIMER_REAL, 0.2)
while not w._closed:
    w.push({'url': 'x'})
w.close()
w.push({'url': 'x'})
print(w.pushed - w.written - sum(w.dropped.values()), w.pending)
"""
    assert run_script(database, text) == "0 0\n"


def test_a_fork_keeps_both_apart(database: Database) -> None:
    """A child's end does not end the parent's session; each writes its own, once."""
    text = """
w = LogWriter(flush_interval_s=0.01)
w.push({'url': 'before'})
w.flush()
w._options = w._options
for n in range(3):
    w.push({'url': f'parent {n}'})
    if not (child := os.fork()):
        assert (w.pushed, w.pending) == (0, 0)
        w.push({'url': f'child {n}'})
        sys.exit(0)
    os.waitpid(child, 0)
w.push({'url': 'after'})
w.flush()
print(w._delivery.link.connects)
"""
    assert run_script(database, text) == "1\n"
    both = [f"{who} {n}" for who in ("child", "parent") for n in range(3)]
    assert stored(database) == sorted(["before", "after", *both])


def test_a_fork_in_a_loop_leaves_the_loop_alone(database: Database) -> None:
    """The parent's loop still hears its writer after a child came to its end."""
    text = """
async def main():
    w = AsyncLogWriter(flush_interval_s=60, batch_size=2)
    w.push({'url': '0'})
    await w.flush()
    if not (child := os.fork()):
        sys.exit(0)
    os.waitpid(child, 0)
    w.push({'url': '1'})
    w.push({'url': '2'})
    while w.written < 3:
        await asyncio.sleep(0.01)
    print(w.written, w._delivery.link.connects)
    await w.close()
try:
    asyncio.run(main())
except SystemExit:
    os._exit(0)
"""
    assert run_script(database, text) == "3 1\n"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_worker_of_multiprocessing_drains(database: Database, method: str) -> None:
    """Its end knows no atexit, and drains nevertheless."""
    text = f"""
context = multiprocessing.get_context({method!r})
w = LogWriter()
w.push({{'url': 'parent'}})
import tests.integration.test_log_writer_process as here
child = context.Process(target=here.push_in_worker)
child.start()
child.join()
print(child.exitcode)
"""
    assert run_script(database, text) == "0\n"
    assert stored(database) == ["parent", "worker"]


def push_in_worker() -> None:
    """Push one record in a process that then ends."""
    from ai_platform.runtime import LogWriter  # noqa: PLC0415 - in the worker

    LogWriter().push({"url": "worker"})


def test_a_loop_that_ends_is_followed(database: Database) -> None:
    """Without close the loop's last act is to write; a second loop goes on."""
    text = """
w = AsyncLogWriter()
async def main(n):
    w.push({'url': f'{n}'})
asyncio.run(main(1))
print(w.written, w.pending)
asyncio.run(main(2))
w.push({'url': '3'})
print(w.written, w.pending)
"""
    assert run_script(database, text) == "1 0\n2 1\n"
    assert stored(database) == ["1", "2", "3"]


def test_a_torn_down_loop_leaves_no_connection(database: Database) -> None:
    """With nothing left to write the server still hears a farewell at exit."""
    text = """
w = AsyncLogWriter(flush_interval_s=0.01)
loop = asyncio.new_event_loop()
async def main():
    w.push({'url': '/'})
    while w.pending:
        await asyncio.sleep(0.01)
logging.getLogger('asyncio').setLevel(logging.CRITICAL)
loop.run_until_complete(main())
loop.close()
print(w.pending, w.is_connected)
"""
    assert run_script(database, text) == "0 True\n"


def test_a_loop_that_is_torn_down_is_survived(database: Database) -> None:
    """stop() and close() in the middle of a batch: another loop, or the end, writes."""
    text = """
import random
logging.getLogger('asyncio').setLevel(logging.CRITICAL)
w = AsyncLogWriter(batch_size=50, flush_interval_s=0.01)
for n in range(20):
    loop = asyncio.new_event_loop()
    async def main():
        for m in range(100):
            w.push({'url': f'{n} {m}'})
    loop.run_until_complete(main())
    loop.call_later(random.uniform(0, 0.02), loop.stop)
    loop.run_forever()
    loop.close()
async def end():
    await w.flush()
    print(w.written, w.pending)
asyncio.run(end())
"""
    assert run_script(database, text) == "2000 0\n"
    assert len(set(stored(database))) == 2000


def test_a_coroutine_may_be_the_fallback(database: Database) -> None:
    """It is awaited: in the loop, when the loop is cancelled, and after its end."""
    text = """
seen = []
async def keep(records):
    await asyncio.sleep(0.05)
    seen.extend(records)
w = AsyncLogWriter(fallback=keep)
async def main():
    w.push({'url': 'a\\0'})
    await w.flush()
    w.push({'url': 'b\\0'})
asyncio.run(main())
w.push({'url': 'c\\0'})
import atexit
atexit._run_exitfuncs()
print(len(seen), w.set_aside)
"""
    assert run_script(database, text) == "3 {'bad_row': 3}\n"


def test_no_thread_and_no_file_is_left(database: Database) -> None:
    """A hundred writers, opened and closed, leave the process as it was."""
    text = """
def count():
    return len(os.listdir('/proc/self/fd')), threading.active_count()
def once():
    with LogWriter() as w:
        w.push({'url': 'x'})
async def twice():
    async with AsyncLogWriter() as w:
        w.push({'url': 'x'})
once(); asyncio.run(twice())
before = count()
for _ in range(50):
    once(); asyncio.run(twice())
ends = time.monotonic() + 60
while any(now > then for now, then in zip(count(), before)):
    assert time.monotonic() < ends, (before, count())
    time.sleep(0.05)
"""
    run_script(database, text)


def test_an_idle_writer_costs_nothing(database: Database) -> None:
    """Connected and idle, or without any server: the processor rests."""
    text = """
def cost(w):
    begun = time.process_time()
    time.sleep(1)
    return time.process_time() - begun
idle = LogWriter()
idle.push({'url': 'x'})
idle.flush()
print(cost(idle) < 0.05)
away = LogWriter('host=127.0.0.1 port=1', fallback=lambda _: None, flush_timeout_s=60)
away.push({'url': 'x'})
print(cost(away) < 0.1)
away.close(0.0)
"""
    begun = time.monotonic()
    assert run_script(database, text) == "True\nTrue\n"
    assert time.monotonic() - begun < 50
