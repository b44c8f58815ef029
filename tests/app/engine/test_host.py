"""One engine process from spawn to end, as the window's side sees it, without Qt."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from app.engine import protocol
from app.engine.host import EngineHost
from app.engine.process import COULD_NOT_START
from app.engine.shared_memory import SharedViews
from core.layout import MACHINE_MEMORY

PATIENCE = 30.0


class Witness:
    """Keeps what arrives from an engine, and lets a test wait for it."""

    def __init__(self) -> None:
        self.messages: list[protocol.Message] = []
        self.code: int | None = None
        self._news = threading.Condition()

    def message(self, message: protocol.Message) -> None:
        with self._news:
            self.messages.append(message)
            self._news.notify_all()

    def end(self, code: int) -> None:
        with self._news:
            self.code = code
            self._news.notify_all()

    def await_message(self, kind: type[object]) -> None:
        with self._news:
            assert self._news.wait_for(lambda: any(isinstance(one, kind) for one in self.messages), PATIENCE)

    def await_end(self) -> int:
        with self._news:
            assert self._news.wait_for(lambda: self.code is not None, PATIENCE)
        assert self.code is not None
        return self.code


@pytest.fixture
def memory() -> Iterator[SharedViews]:
    views = SharedViews.create()
    yield views
    views.close()


@pytest.fixture
def witness() -> Witness:
    return Witness()


@pytest.fixture
def host(memory: SharedViews, witness: Witness) -> Iterator[EngineHost]:
    host = EngineHost(memory.name, 0, witness.message, witness.end)
    yield host
    host.close()


def test_it_gets_ready_and_ends_when_told(host: EngineHost, witness: Witness) -> None:
    witness.await_message(protocol.Ready)
    assert witness.messages == [protocol.Ready(host.pid)]
    host.close()
    assert witness.await_end() == 0


def test_it_refuses_what_makes_no_sense_and_goes_on(host: EngineHost, witness: Witness) -> None:
    host.send(protocol.Run())
    host.send(protocol.Load("hello", "bare"))
    witness.await_message(protocol.Loaded)
    assert [type(message) for message in witness.messages[:3]] == [protocol.Ready, protocol.Refused, protocol.Loaded]


def test_its_death_is_told_once_with_the_signal(host: EngineHost, witness: Witness) -> None:
    witness.await_message(protocol.Ready)
    os.kill(host.pid, signal.SIGTERM)
    assert witness.await_end() in (-signal.SIGTERM, signal.SIGTERM)


def test_closing_after_its_death_is_no_error(host: EngineHost, witness: Witness) -> None:
    os.kill(host.pid, signal.SIGTERM)
    witness.await_end()
    host.send(protocol.Run())
    host.close()


def test_an_engine_that_cannot_start_says_why(witness: Witness) -> None:
    host = EngineHost("no such segment", 0, witness.message, witness.end)
    assert witness.await_end() == COULD_NOT_START
    (faulted,) = witness.messages
    assert isinstance(faulted, protocol.Faulted)
    assert "cannot start" in faulted.fault.problem
    host.close()


WINDOW = """
import os, sys
from app.engine import protocol
from app.engine.host import EngineHost
from app.engine.shared_memory import SharedViews
import threading

def main():
    ready = threading.Event()
    memory = SharedViews.create()
    host = EngineHost(memory.name, 0, lambda message: ready.set(), lambda code: None)
    ready.wait()
    host.send(protocol.Load("hello", "bare"))
    if "running" in sys.argv:
        host.send(protocol.SetSpeed(1.0))
        host.send(protocol.Run())
    print(memory.name, flush=True)
    os._exit(1)

if __name__ == "__main__":
    main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there a segment goes with its last user by itself")
@pytest.mark.parametrize("doing", ["standing", "running"])
def test_a_window_that_crashes_leaves_neither_process_nor_memory(doing: str) -> None:
    """Its output ends when nobody holds it any more: the window, its engine and Python's tracker of memory."""
    window = subprocess.run(
        [sys.executable, "-c", WINDOW, doing], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert window.returncode == 1
    with pytest.raises(FileNotFoundError):
        SharedViews.attach(window.stdout.strip(), MACHINE_MEMORY)


def test_it_starts_without_what_a_machine_does_not_need_yet() -> None:
    """After a death a person waits for all that it imports."""
    imports = (
        "import sys, app.engine.loop, app.engine.metronome, core.guests.catalog, core.session; print(*sys.modules)"
    )
    engine = subprocess.run(
        [sys.executable, "-c", imports], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    modules = set(engine.stdout.split())
    assert "core.session" in modules
    needless = {"pydantic", "lessons.predicates", "core.lab.records", "core.vmm.translation", "core.vmm.hardware"}
    assert not needless & modules
