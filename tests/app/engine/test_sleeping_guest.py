"""The engine's loop with a guest that sleeps between its timer's ticks: cheap, on time, and at once there again."""

from __future__ import annotations

from app.engine.protocol import Input, Load, Run, Stop, Updated
from core.events import StopReason
from core.snapshot import Snapshot
from tests.app.engine.fake_session import FakeSession
from tests.app.engine.wire import SLICE, Engine, play, snapshots

LOAD = Load("count", "bare")


def test_it_keeps_the_time_but_is_woken_and_shown_seldom() -> None:
    engine = Engine(FakeSession(idle_seconds=0.01))
    messages = play(engine, (0, LOAD), (0, Run()), (4, Stop(1)))
    assert 390 <= engine.session.executed <= 400  # of a hundred ticks a second
    assert len(engine.wire.wakings) < 50
    assert len(snapshots(messages)) < 6


def test_when_nothing_is_seen_of_it_for_long_it_is_woken_once_a_second() -> None:
    engine = Engine(FakeSession(idle_seconds=0.01))
    play(engine, (0, LOAD), (0, Run()), (40, Stop(1)))
    assert len([now for now in engine.wire.wakings if 20 < now < 40]) < 30
    assert 3_890 <= engine.session.executed <= 4_000


def test_what_is_typed_is_handled_and_shown_at_once() -> None:
    engine = Engine(FakeSession(idle_seconds=10.0))
    play(engine, (0, LOAD), (0, Run()), (3.0, Input(b"x")))
    after = [(at, one.snapshot) for at, one in engine.wire.sent if isinstance(one, Updated) and at >= 3.0]
    assert after[0][0] <= 3.0 + 2 * SLICE
    assert after[0][1].executed >= engine.session.slice_length


class Interrupted(FakeSession):
    """A slice of it is over after ten ticks."""

    def run(self, limit: int | None = None, *, sleep: float | None = None) -> StopReason:
        cut = sleep is not None and sleep > 11 * self.idle_seconds
        self.stop = super().run(limit, sleep=10.5 * self.idle_seconds if cut else sleep)
        self.stop = StopReason.REQUESTED if cut else self.stop
        return self.stop


def test_it_is_seen_asleep_and_not_among_the_ticks_that_it_makes_up_for() -> None:
    class Seen(Interrupted):
        def snapshot(self, *since: int, running: bool = False) -> Snapshot:
            seen.append(self.stop)
            return super().snapshot(*since, running=running)

    seen: list[StopReason | None] = []
    play(Engine(Seen(idle_seconds=0.01)), (0, LOAD), (0, Run()), (40, Stop(1)))
    assert len(seen) >= 10
    assert set(seen[3:-1]) == {StopReason.IDLE}


def test_a_key_does_not_wait_for_ticks_that_take_longer_than_they_are_apart() -> None:
    class Slow(FakeSession):
        def run(self, limit: int | None = None, *, sleep: float | None = None) -> StopReason:
            if self.ticks > 1_000:
                engine.wire.now += 1.5 * self.idle_seconds
            return super().run(limit, sleep=sleep)

        def send(self, data: bytes) -> None:
            typed.append(engine.wire.now)
            super().send(data)

    typed: list[float] = []
    engine = Engine(Slow(idle_seconds=0.01))
    play(engine, (0, LOAD), (0, Run()), (12.0, Input(b"x")))
    assert typed[0] < 12.2


def test_it_has_had_the_ticks_that_were_put_off_when_a_key_comes() -> None:
    class Typed(Interrupted):
        def send(self, data: bytes) -> None:
            self.ticks_then = self.ticks
            super().send(data)

    session = Typed(idle_seconds=0.01)
    play(Engine(session), (0, LOAD), (0, Run()), (30.5, Input(b"x")))
    assert 3_048 <= session.ticks_then <= 3_050
