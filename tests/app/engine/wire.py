"""A pipe and a clock without a process: commands arrive at set times, and waiting for them moves the clock."""

from __future__ import annotations

from contextlib import nullcontext

from app.engine import protocol
from app.engine.loop import EngineLoop
from core.snapshot import Snapshot
from tests.app.engine.fake_session import FakeSession, program

SLICE = 0.008


class Stops:
    """The stop words, in one process."""

    def __init__(self) -> None:
        self.asked = self.served = 0

    @property
    def stop_wanted(self) -> bool:
        return self.asked > self.served

    def serve_stops(self) -> None:
        self.served = self.asked


class Wire:
    """The engine's end of a pipe to a window that follows a script and answers each snapshot after `answers_after`
    seconds (None: never). When the script is over, the window closes."""

    def __init__(self, answers_after: float | None = 0.0) -> None:
        self.now = 0.0
        self.answers_after = answers_after
        self.coming: list[tuple[float, protocol.Command]] = []
        self.sent: list[tuple[float, protocol.Message]] = []
        self.ends_at = 0.0
        self.wakings: list[float] = []  # when the engine looked whether there is something to do

    def at(self, time: float, *commands: protocol.Command) -> None:
        """The window sends `commands` at `time`."""
        self.coming += [(time, command) for command in commands]
        self.coming.sort(key=lambda entry: entry[0])
        self.ends_at = max(self.ends_at, time)

    def poll(self, timeout: float | None) -> bool:
        self.wakings.append(self.now)
        until = self.now + timeout if timeout is not None else float("inf")
        arrival = self.coming[0][0] if self.coming else self.ends_at
        if arrival <= until:
            self.now = max(self.now, arrival)
            return True
        self.now = until
        return False

    def recv(self) -> protocol.Command:
        if not self.coming:
            raise EOFError
        return self.coming.pop(0)[1]

    def send(self, message: protocol.Message) -> None:
        self.sent.append((self.now, message))
        if isinstance(message, protocol.Updated) and self.answers_after is not None:
            self.at(self.now + self.answers_after, protocol.Shown())


class Engine:
    """An engine's loop over a `Wire`, with a `FakeSession` each of whose slices takes `SLICE` seconds."""

    def __init__(self, session: FakeSession | None = None, answers_after: float | None = 0.0, first: int = 0) -> None:
        self.wire = Wire(answers_after)
        self.stops = Stops()
        self.session = session or FakeSession()
        self.session.on_slice = self._pass_time
        self.loop = EngineLoop(
            self.wire, self.session, program, self.stops, nullcontext(), lambda: self.wire.now, first
        )

    def _pass_time(self) -> None:
        self.wire.now += SLICE


def play(engine: Engine, *script: tuple[float, protocol.Command]) -> list[protocol.Message]:
    """What the engine sends when the window says `script` and closes a second later."""
    for time, command in script:
        engine.wire.at(time, command)
    engine.wire.ends_at += 1
    engine.loop.serve()
    return [message for _, message in engine.wire.sent]


def snapshots(messages: list[protocol.Message]) -> list[Snapshot]:
    return [message.snapshot for message in messages if isinstance(message, protocol.Updated)]
