"""The engine as the window knows it: a real process behind Qt signals."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.engine.client import Engine
from app.engine.protocol import Loaded
from app.engine.shared_memory import SharedViews
from app.engine.succession import TRIES
from core.errors import RequestError, UserError
from core.events import StopReason
from core.snapshot import Snapshot
from lessons.questions import CheckLesson, LessonChecked
from tests.bench import loops

PATIENCE = 30_000  # milliseconds


@pytest.fixture
def engine(qtbot: QtBot) -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.close()


@pytest.fixture
def await_(qtbot: QtBot) -> Callable[[Callable[[], bool]], None]:
    return lambda condition: qtbot.waitUntil(condition, timeout=PATIENCE)


Await = Callable[[Callable[[], bool]], None]


def snapshot_of(engine: Engine) -> Snapshot:
    assert engine.latest is not None
    return engine.latest


def load(engine: Engine, await_: Await, guest: str | Path = "rings", kind: str = "bare") -> None:
    loaded: list[Loaded] = []
    engine.loaded.connect(loaded.append)
    engine.load(str(guest), kind)
    await_(lambda: bool(loaded) and engine.latest is not None and engine.latest.generation == loaded[0].generation)


def endless(folder: Path, code: bytes = loops.ENDLESS) -> Path:
    image = folder / "endless.elf"
    image.write_bytes(loops.elf(code))
    return image


def kill(engine: Engine) -> None:
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGTERM)


def test_what_is_asked_before_it_is_ready_is_done_when_it_is(engine: Engine, await_: Await) -> None:
    assert not engine.is_ready
    engine.load("rings", "bare")
    engine.step(3)
    await_(lambda: engine.latest is not None and engine.latest.executed == 3)
    assert engine.is_ready
    assert engine.program is not None
    assert engine.program.name == "rings"
    assert engine.kind == "bare"


def test_a_guest_runs_to_its_end(engine: Engine, await_: Await) -> None:
    load(engine, await_, "hello")
    engine.run()
    await_(lambda: snapshot_of(engine).end is not None)
    assert snapshot_of(engine).stop is StopReason.ENDED
    assert not snapshot_of(engine).running


@pytest.mark.parametrize(("code", "kind"), [(loops.ENDLESS, "bare"), (loops.TRAPS, "trap_emulate")])
def test_stop_ends_an_endless_loop(code: bytes, kind: str, engine: Engine, await_: Await, tmp_path: Path) -> None:
    load(engine, await_, endless(tmp_path, code), kind)
    for _ in range(3):
        engine.run()
        await_(lambda: snapshot_of(engine).running)
        engine.stop()
        await_(lambda: not snapshot_of(engine).running)
        assert snapshot_of(engine).stop is StopReason.REQUESTED


def test_a_stop_right_behind_a_run_is_not_lost(engine: Engine, await_: Await, tmp_path: Path) -> None:
    load(engine, await_, endless(tmp_path))
    seen: list[Snapshot] = []
    engine.updated.connect(seen.append)
    for _ in range(20):
        seen.clear()
        engine.run()
        engine.stop()
        await_(lambda: bool(seen) and not seen[-1].running)


def test_stop_ends_a_step_over_that_never_comes_back(engine: Engine, await_: Await, tmp_path: Path) -> None:
    call = b"\xe8\x01\x00\x00\x00" + b"\x90" + loops.ENDLESS
    load(engine, await_, endless(tmp_path, call))
    engine.step_over()
    await_(lambda: snapshot_of(engine).running)
    engine.stop()
    await_(lambda: not snapshot_of(engine).running)
    assert snapshot_of(engine).pc == loops.CODE + 6


def test_step_over_a_long_call_stops_behind_it_and_not_in_a_deeper_one(
    engine: Engine, await_: Await, tmp_path: Path
) -> None:
    """mov ecx, 40000000; call f; nop; jmp $; f: dec ecx; jnz f; ret"""
    code = b"\xb9" + (40_000_000).to_bytes(4, "little") + b"\xe8\x03\x00\x00\x00\x90\xeb\xfe\x49\x75\xfd\xc3"
    load(engine, await_, endless(tmp_path, code))
    engine.step()
    engine.step_over()
    await_(lambda: snapshot_of(engine).executed > 1 and not snapshot_of(engine).running)
    assert snapshot_of(engine).pc == loops.CODE + 10
    assert snapshot_of(engine).executed == 1 + 1 + 2 * 40_000_000 + 1


def test_views_see_memory_and_heat_without_asking(engine: Engine, await_: Await, tmp_path: Path) -> None:
    load(engine, await_, endless(tmp_path))
    engine.step(1000)
    await_(lambda: snapshot_of(engine).executed == 1000)
    memory = engine.memory
    assert bytes(memory.ram[loops.CODE : loops.CODE + 2]) == loops.ENDLESS
    assert memory.fetches[loops.CODE >> 12] == 1000
    assert set(memory.pc_ring[:1000]) == {loops.CODE}


def test_what_is_refused_changes_nothing(engine: Engine, await_: Await, qtbot: QtBot, tmp_path: Path) -> None:
    load(engine, await_, "rings", "trap_emulate")
    engine.step(5)
    await_(lambda: snapshot_of(engine).executed == 5)
    refusals: list[UserError] = []
    engine.refused.connect(refusals.append)
    big = tmp_path / "big.elf"
    big.write_bytes(loops.elf(loops.ENDLESS, size=1 << 30))
    for guest, kind in (("no such guest", "bare"), ("hello", "no such kind"), (str(big), "bare")):
        refusals.clear()
        engine.load(guest, kind)
        await_(lambda: bool(refusals))
        assert engine.program is not None
        assert (engine.program.name, engine.kind) == ("rings", "trap_emulate")
    engine.step()
    await_(lambda: snapshot_of(engine).executed == 6)


def test_after_its_death_it_is_back_at_the_same_moment_of_the_same_program(engine: Engine, await_: Await) -> None:
    load(engine, await_, "rings", "trap_emulate")
    engine.set_breakpoints(frozenset({snapshot_of(engine).pc + 4096}))
    engine.step(100)
    await_(lambda: snapshot_of(engine).executed == 100)
    words: list[str] = []
    recovered: list[bool] = []
    engine.lost.connect(words.append)
    engine.recovered.connect(lambda: recovered.append(True))
    before, first = snapshot_of(engine), engine.pid
    kill(engine)
    await_(lambda: bool(recovered) and snapshot_of(engine).generation > before.generation)
    assert len(words) == 1
    assert "rings" in words[0].lower()
    assert engine.pid != first
    assert engine.program is not None
    assert (engine.program.name, engine.kind) == ("rings", "trap_emulate")
    after = snapshot_of(engine)
    assert (after.executed, after.pc, after.registers) == (100, before.pc, before.registers)
    assert after.breakpoints == before.breakpoints
    engine.step(100)
    await_(lambda: snapshot_of(engine).executed == 200)


def test_it_survives_dying_again_and_again(engine: Engine, await_: Await, tmp_path: Path) -> None:
    load(engine, await_, endless(tmp_path))
    for _ in range(3):
        recovered: list[bool] = []
        engine.recovered.connect(lambda: recovered.append(True))  # noqa: B023
        engine.run()
        await_(lambda: snapshot_of(engine).running)
        kill(engine)
        await_(lambda: bool(recovered) and not snapshot_of(engine).running)  # noqa: B023


def test_a_program_that_kills_it_at_power_on_is_not_tried_for_ever(engine: Engine, await_: Await) -> None:
    load(engine, await_, "rings")
    words: list[str] = []
    recovered: list[bool] = []
    engine.lost.connect(words.append)
    engine.ready.connect(lambda: kill(engine) if "no guest" not in words[-1] else None)
    engine.recovered.connect(lambda: recovered.append(True))
    kill(engine)
    await_(lambda: bool(recovered))
    assert len(words) == TRIES + 1
    assert "no guest" in words[-1]
    load(engine, await_, "hello")


def test_one_that_cannot_even_start_is_told_and_started_again_by_a_load(engine: Engine, await_: Await) -> None:
    words: list[str] = []
    engine.lost.connect(words.append)
    kill(engine)
    await_(lambda: bool(words))
    assert engine.pid is None
    refused: list[UserError] = []
    engine.refused.connect(refused.append)
    engine.run()
    assert isinstance(refused[0], RequestError)
    load(engine, await_, "hello")


def test_a_lesson_s_question_is_answered(engine: Engine, await_: Await) -> None:
    answers: list[LessonChecked] = []
    engine.lesson_checked.connect(answers.append)
    engine.check_lesson(CheckLesson(1))
    load(engine, await_)
    engine.check_lesson(CheckLesson(2))
    await_(lambda: len(answers) == 2)
    assert [answer.ticket for answer in answers] == [1, 2]
    assert answers[0].error is not None
    assert answers[1].hold


def test_closing_leaves_neither_process_nor_memory_and_can_be_done_twice(qtbot: QtBot, await_: Await) -> None:
    engine = Engine()
    await_(lambda: engine.is_ready)
    name = engine.memory.name
    engine.close()
    engine.close()
    assert engine.pid is None
    with pytest.raises(FileNotFoundError):
        SharedViews.attach(name)


def test_once_closed_nothing_that_is_still_on_its_way_brings_it_back(qtbot: QtBot, await_: Await) -> None:
    engine = Engine()
    await_(lambda: engine.is_ready)
    kill(engine)
    assert engine._host is not None
    engine._host._receiver.join()  # its end is now an event that Qt will deliver
    engine.close()
    engine.lost.connect(lambda words: pytest.fail(words))
    qtbot.wait(0)
    engine.load("hello", "bare")
    engine.run()
    engine.stop()
    assert engine.pid is None


def test_python_collects_only_in_the_gui_thread_while_an_engine_lives(qtbot: QtBot) -> None:
    assert gc.isenabled()
    engine = Engine()
    assert not gc.isenabled()
    engine.close()
    assert gc.isenabled()
