"""The engine's loop against a window on a script: what is sent when, and what a run stops for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine import protocol
from app.engine.protocol import (
    Faulted,
    Input,
    Load,
    Loaded,
    Ready,
    Refused,
    Reset,
    Run,
    RunBack,
    RunTo,
    SetBreakpoints,
    SetSpeed,
    Step,
    Stop,
    Updated,
)
from core.errors import LabFault, RequestError, UnknownName
from core.events import End, EndHow, StopReason
from core.guests.image import Program
from core.guests.start import StartWith
from core.looks import Look
from core.past import BackTo
from tests.app.engine.fake_session import FakeSession, program
from tests.app.engine.wire import SLICE, Engine, play, snapshots

LOAD = Load("count", "bare")


def test_it_is_ready_first_and_ends_with_the_window() -> None:
    assert [type(message) for message in play(Engine())] == [Ready]


def test_a_search_of_the_past_is_given_up_before_the_window_s_end_takes_the_guest() -> None:
    class Searched(FakeSession):
        put_back = False

        def running_back_out(self) -> Iterator[None]:
            try:
                while True:
                    self.on_slice()
                    yield
            finally:
                self.put_back = True

    session = Searched()
    play(Engine(session), (0, LOAD), (0.1, RunBack(BackTo.CALL)))
    assert session.put_back


def test_shutdown_ends_it_though_the_window_is_open() -> None:
    engine = Engine()
    engine.wire.at(0, protocol.Shutdown())
    engine.wire.ends_at = float("inf")
    engine.loop.serve()
    assert engine.wire.now == 0


def test_loading_answers_with_the_program_and_the_machine_at_power_on() -> None:
    engine = Engine()
    _, loaded, updated = play(engine, (0, LOAD))
    assert loaded == Loaded(program("count"), "bare", 1, "count", begun=engine.session.lab.begun)
    assert isinstance(updated, Updated)
    assert updated.snapshot.executed == 0
    assert not updated.snapshot.running


def test_generations_go_on_counting_over_engines() -> None:
    messages = play(Engine(first=7), (0, LOAD), (1, Reset()))
    assert [snapshot.generation for snapshot in snapshots(messages)] == [8, 9]
    assert isinstance(messages[1], Loaded)
    assert messages[1].generation == 8


def test_a_refused_load_changes_nothing_and_the_run_goes_on() -> None:
    def load(name: str) -> Program:
        if name == "nonsense":
            raise UnknownName("There is no guest named “nonsense”.", "Choose one of hello, rings.")
        return program(name)

    engine = Engine()
    engine.loop._load = load
    messages = play(engine, (0, LOAD), (0, Run()), (0.1, Load("nonsense", "bare")), (0.5, Stop(1)))
    refused = next(message for message in messages if isinstance(message, Refused))
    assert refused.command == Load("nonsense", "bare")
    assert "nonsense" in str(refused.error)
    assert snapshots(messages)[-1].executed > 0.4 / SLICE * 1000


@pytest.mark.parametrize("command", [Run(), Step(), RunTo(5), Reset()])
def test_without_a_guest_there_is_nothing_to_run(command: protocol.Command) -> None:
    _, refused = play(Engine(), (0, command))
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, RequestError)


def test_a_run_is_shown_at_most_thirty_times_a_second_and_its_end_always() -> None:
    engine = Engine()
    play(engine, (0, LOAD), (0, Run()), (3, Stop(1)))
    times = [time for time, message in engine.wire.sent if isinstance(message, Updated)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times[:-1])]
    assert min(gaps) >= 1 / 30 - 1e-9
    assert len(times) >= 3 / (1 / 30 + SLICE)
    assert times[-1] - 3 <= SLICE
    last = snapshots([message for _, message in engine.wire.sent])[-1]
    assert not last.running
    assert last.stop is StopReason.REQUESTED
    assert last.executed == engine.session.executed


def test_a_window_that_does_not_answer_gets_no_second_snapshot() -> None:
    messages = play(Engine(answers_after=None), (0, LOAD), (0, Run()), (3, Stop(1)))
    assert len(snapshots(messages)) == 1


@pytest.mark.parametrize("answers_after", [0.0, 0.05, 0.7])
def test_however_slowly_the_window_answers_no_trap_and_no_output_is_lost_or_sent_twice(answers_after: float) -> None:
    engine = Engine(answers_after=answers_after)
    seen = snapshots(play(engine, (0, LOAD), (0, Run()), (2, Stop(1)), (4, Stop(2))))
    traps = [trap.number for snapshot in seen for trap in snapshot.traps]
    assert traps == list(range(engine.session.executed // 100))
    assert sum(len(snapshot.console) for snapshot in seen) == seen[-1].console_length
    assert seen[-1].executed == engine.session.executed


def test_the_stop_words_end_a_run_before_the_pipe_is_read() -> None:
    engine = Engine()

    def ask() -> None:
        engine.wire.now += SLICE
        engine.stops.asked += engine.session.executed >= 5000

    engine.session.on_slice = ask
    seen = snapshots(play(engine, (0, LOAD), (0, Run()), (9, Stop(1))))
    assert seen[-1].executed == 5000
    assert not engine.stops.stop_wanted


def test_a_stop_that_outruns_its_run_still_stops_it_and_not_the_next() -> None:
    engine = Engine()
    asked_before_the_run_is_read = engine.wire.recv

    def ask(first: bool = False) -> protocol.Command:
        command = asked_before_the_run_is_read()
        if command == Run() and not engine.stops.asked:
            engine.stops.asked = 1
        return command

    engine.wire.recv = ask  # type: ignore[method-assign]
    seen = snapshots(play(engine, (0, LOAD), (1, Run()), (2, Stop(1)), (3, Run()), (3.5, Stop(2))))
    assert [snapshot.executed for snapshot in seen if not snapshot.running][:2] == [0, 0]
    assert seen[-1].executed > 0


def test_a_step_is_one_instruction_whatever_the_speed() -> None:
    seen = snapshots(play(Engine(), (0, LOAD), (0, SetSpeed(1.0)), (1, Step()), (1.5, Step(3))))
    assert [snapshot.executed for snapshot in seen if not snapshot.running] == [0, 1, 4]


def test_a_long_step_is_exact_through_its_slices() -> None:
    engine = Engine()
    seen = snapshots(play(engine, (0, LOAD), (0, Step(123_456)), (9, Stop(1))))
    assert seen[-1].executed == 123_456
    assert seen[-1].stop is StopReason.BUDGET


def test_a_quiet_step_is_shown_at_its_end_only() -> None:
    seen = snapshots(play(Engine(), (0, LOAD), (1, Step(500_000, quietly=True)), (9, Stop(1))))
    assert [snapshot.executed for snapshot in seen] == [0, 500_000]


def test_a_breakpoint_ends_a_long_step() -> None:
    script = (0, SetBreakpoints(frozenset({3000}))), (0, LOAD), (0, Step(5000)), (1, Step())
    assert [snapshot.executed for snapshot in snapshots(play(Engine(), *script)) if not snapshot.running] == [
        0,
        3000,
        3001,
    ]


def test_steps_pressed_quickly_are_all_made() -> None:
    seen = snapshots(play(Engine(), (0, LOAD), (0, Step(5000)), (0, Step()), (0, Step())))
    assert seen[-1].executed == 5002


def test_a_run_to_a_place_is_finished_before_the_step_from_there() -> None:
    seen = snapshots(play(Engine(), (0, LOAD), (0, RunTo(5500)), (0, Step(3))))
    assert seen[-1].executed == 5503


def test_a_stop_forgets_the_steps_that_were_still_to_come() -> None:
    seen = snapshots(play(Engine(), (0, LOAD), (0, Step(10**9)), (0, Step(7)), (1, Stop(1))))
    assert seen[-1].executed % 1000 == 0


def test_a_step_takes_the_place_of_a_run() -> None:
    seen = snapshots(play(Engine(), (0, LOAD), (0, Run()), (1, Step())))
    assert not seen[-1].running
    assert seen[-1].executed % 1000 == 1


def test_in_slow_motion_every_instruction_is_shown() -> None:
    seen = snapshots(play(Engine(), (0, LOAD), (0, SetSpeed(10.0)), (0, Run()), (2.05, Stop(1))))
    shown = sorted({snapshot.executed for snapshot in seen})
    assert shown == list(range(shown[-1] + 1))
    assert shown[-1] == pytest.approx(20, abs=2)


def test_in_slow_motion_a_slow_window_holds_the_guest_back_rather_than_miss_a_step() -> None:
    seen = snapshots(play(Engine(answers_after=0.4), (0, LOAD), (0, SetSpeed(10.0)), (0, Run()), (4, Stop(1))))
    shown = [snapshot.executed for snapshot in seen]
    assert sorted(set(shown)) == list(range(shown[-1] + 1))


@pytest.mark.parametrize("speed", [100.0, 1000.0, 50_000.0])
def test_a_set_speed_is_kept(speed: float) -> None:
    engine = Engine()
    engine.session.on_slice = lambda: None
    engine.session.slice_length = 1_000_000
    play(engine, (0, LOAD), (0, SetSpeed(speed)), (0, Run()), (5, Stop(1)))
    assert engine.session.executed == pytest.approx(5 * speed, rel=0.01, abs=2)


def test_a_change_of_speed_takes_effect_while_running() -> None:
    engine = Engine()
    play(engine, (0, LOAD), (0, SetSpeed(1.0)), (0, Run()), (2.5, SetSpeed(None)), (3, Stop(1)))
    assert engine.session.executed > 10_000


@pytest.mark.parametrize("slice_length", [7, 1000])
def test_a_breakpoint_stops_a_run_also_where_a_slice_ends(slice_length: int) -> None:
    engine = Engine(FakeSession(slice_length))
    seen = snapshots(play(engine, (0, SetBreakpoints(frozenset({70}))), (0, LOAD), (0, Run()), (9, Stop(1))))
    assert seen[-1].executed == 70
    assert seen[-1].stop is StopReason.BREAKPOINT


def test_a_breakpoint_stops_slow_motion() -> None:
    script = (0, SetBreakpoints(frozenset({3}))), (0, LOAD), (0, SetSpeed(10.0)), (0, Run()), (9, Stop(1))
    assert snapshots(play(Engine(), *script))[-1].executed == 3


def test_a_run_leaves_the_breakpoint_it_stands_on() -> None:
    script = (0, SetBreakpoints(frozenset({70, 80}))), (0, LOAD), (0, Run()), (1, Run()), (9, Stop(1))
    assert snapshots(play(Engine(FakeSession(7)), *script))[-1].executed == 80


@pytest.mark.parametrize("goal", [70, 71, 5000])
def test_run_to_ends_at_its_goal_also_where_a_slice_ends(goal: int) -> None:
    seen = snapshots(play(Engine(FakeSession(7)), (0, LOAD), (0, RunTo(goal)), (9, Stop(1))))
    assert seen[-1].executed == goal
    assert seen[-1].stop is StopReason.BREAKPOINT


def test_a_guest_that_waits_for_input_sleeps_and_then_goes_on() -> None:
    engine = Engine(FakeSession(waits_at=500))
    seen = snapshots(play(engine, (0, LOAD), (0, Run()), (5, Input(b"x")), (5.1, Stop(1))))
    waiting = next(snapshot for snapshot in seen if snapshot.stop is StopReason.WAITING)
    assert waiting.running
    assert waiting.executed == 500
    assert engine.session.executed > 500
    slices_while_waiting = [time for time, _ in engine.wire.sent if 0.1 < time < 5]
    assert not slices_while_waiting


def test_a_step_does_not_wait_for_input() -> None:
    seen = snapshots(play(Engine(FakeSession(waits_at=0)), (0, LOAD), (0, Step()), (5, Input(b"x"))))
    assert not seen[-1].running
    assert seen[-1].stop is StopReason.WAITING


def test_a_fault_of_the_lab_is_told_and_survived() -> None:
    fault = LabFault("The CPU gave up.", "EIP=0")
    messages = play(Engine(FakeSession(raises=fault)), (0, LOAD), (0, Run()), (1, Step()))
    assert Faulted(fault) in messages
    assert snapshots(messages)[-1].executed == 1


def test_an_end_that_is_the_lab_s_fault_comes_with_its_report() -> None:
    end = End(EndHow.ERROR, None, "The CPU gave up at 0x1000.")
    messages = play(Engine(FakeSession(end=end, report="EIP=1000")), (0, LOAD), (0, Run()))
    assert Faulted(LabFault("The CPU gave up at 0x1000.", "EIP=1000")) in messages
    assert snapshots(messages)[-1].stop is StopReason.ENDED


def test_an_end_that_is_the_guest_s_own_is_no_fault() -> None:
    messages = play(Engine(FakeSession(end=End(EndHow.EXIT, 0, "It ended."))), (0, LOAD), (0, Run()))
    assert not [message for message in messages if isinstance(message, Faulted)]


def test_a_mistake_of_ours_is_told_with_its_traceback_and_survived() -> None:
    messages = play(Engine(FakeSession(raises=ZeroDivisionError("oh"))), (0, LOAD), (0, Run()), (1, Step()))
    faulted = next(message for message in messages if isinstance(message, Faulted))
    assert "test_loop" in faulted.fault.report or "fake_session" in faulted.fault.report
    assert snapshots(messages)[-1].executed == 1


def test_with_nothing_to_do_it_sleeps_on_the_pipe() -> None:
    engine = Engine()
    waits: list[float | None] = []
    poll = engine.wire.poll

    def listen(timeout: float | None) -> bool:
        waits.append(timeout)
        return poll(timeout)

    engine.wire.poll = listen  # type: ignore[method-assign]
    play(engine, (0, LOAD), (60, Step()), (120, Step()))
    assert len(waits) < 20
    assert waits[-1] is None


def test_what_is_looked_at_goes_to_the_session_and_is_shown_at_once() -> None:
    engine = Engine()
    look = Look(map=True)
    messages = play(engine, (0, LOAD), (0.2, protocol.Shown()), (0.4, protocol.LookAt(look)))
    assert engine.session.look == look
    assert len(snapshots(messages)) == 2


def test_keys_reach_the_guest_and_wake_one_that_waits() -> None:
    engine = Engine(FakeSession(waits_at=5))
    play(engine, (0, LOAD), (0.1, Run()), (0.3, protocol.Keys(b"\x1e\x9e")))
    assert engine.session.keys == b"\x1e\x9e"


def test_what_a_guest_is_given_is_read_where_it_is_loaded_and_told_back(tmp_path: Path) -> None:
    module = tmp_path / "module.txt"
    module.write_bytes(b"x")
    start = StartWith("run=x", "", (str(module),))
    engine = Engine()
    messages = play(engine, (0, Load("count", "bare", start)), (0, Load("count", "bare", StartWith(disk="/nowhere"))))
    assert engine.session.given == {"command_line": "run=x", "disk": None, "modules": start.read_modules()}
    assert [message.start for message in messages if isinstance(message, Loaded)] == [start]
    assert [str(one.error) for one in messages if isinstance(one, Refused)] == [
        "/nowhere: The disk image cannot be read: it is not there. Check the path, or make an empty disk there."
    ]
