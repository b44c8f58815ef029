"""The engine's loop over a real machine with several VMs: what the window asks, and what it is told."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from app.engine.loop import EngineLoop
from app.engine.protocol import (
    AddVm,
    Command,
    Input,
    Keys,
    Load,
    Message,
    PauseVm,
    Refused,
    RemoveVm,
    Reset,
    ResumeVm,
    RunBack,
    Selected,
    SelectVm,
    SetCap,
    SetWeight,
    Step,
    Updated,
)
from core.guests.catalog import load_program
from core.guests.image import Program
from core.past import BackTo
from core.session import Session
from core.snapshot import Snapshot, VmState
from core.timeline.actions import SerialInput
from core.timeline.timeline import Recording
from tests.app.engine.wire import Stops, Wire
from tests.bench import loops

KIND = "trap_emulate"


def load(name: str) -> Program:
    return loops.program(loops.ENDLESS) if name == "greedy" else load_program(name)


@pytest.fixture
def session() -> Iterator[Session]:
    lab = Session(history=Recording())
    yield lab
    lab.close()


def play(session: Session, *commands: Command, at_once: tuple[Command, ...] = ()) -> list[Message]:
    """One command a second to a fresh engine, and then some `at_once`; what it sends."""
    wire = Wire()
    for second, command in enumerate(commands):
        wire.at(second, command)
    wire.at(len(commands), *at_once)
    wire.ends_at += 1
    EngineLoop(wire, session, load, Stops(), nullcontext(), lambda: wire.now).serve()
    return [message for _, message in wire.sent]


def last(messages: list[Message]) -> Snapshot:
    return next(message.snapshot for message in reversed(messages) if isinstance(message, Updated))


def refused(messages: list[Message]) -> list[str]:
    return [str(message.error) for message in messages if isinstance(message, Refused)]


def test_vms_are_added_weighed_capped_and_shown_with_their_shares(session: Session) -> None:
    messages = play(
        session, Load("greedy", KIND), AddVm("greedy", KIND, weight=3), AddVm("hello", KIND, memory=4 << 20),
        SetWeight("A", 2), SetCap("B", 50), Step(200_000, quietly=True),
    )  # fmt: skip
    assert refused(messages) == []
    a, b, c = last(messages).vms
    assert (a.letter, a.guest, a.kind, a.weight, a.cap, a.memory) == ("A", "loop", KIND, 2, None, 16 << 20)
    assert (b.weight, b.cap) == (3, 50)
    assert (c.letter, c.guest, c.memory, c.taken_back) == ("C", "hello", 4 << 20, 0)
    assert (c.state, a.executed + b.executed + c.executed) == (VmState.ENDED, 200_000)
    assert c.console_tail.startswith(b"Hello")
    assert a.share == pytest.approx(0.4, abs=0.11)
    assert b.share == pytest.approx(0.6, abs=0.11)
    assert (a.entitled, b.entitled, c.entitled) == (0.4, 0.5, 0.0)


def test_selecting_tells_what_runs_there_and_shows_its_whole_console(session: Session) -> None:
    messages = play(session, Load("greedy", KIND), AddVm("hello", KIND), Step(100_000, quietly=True), SelectVm("B"))
    told = [message for message in messages if isinstance(message, Selected)]
    assert (told[-1].letter, told[-1].program.name, told[-1].kind) == ("B", "hello", KIND)
    snapshot = last(messages)
    assert (snapshot.vm, snapshot.guest) == ("B", "hello")
    assert snapshot.console.startswith(b"Hello")
    assert snapshot.console_length == len(snapshot.console)
    assert snapshot.end is not None


def test_input_goes_to_the_selected_vm(session: Session) -> None:
    messages = play(
        session, Load("pebble-clean", KIND), AddVm("pebble-clean", KIND), Step(2_400_000, quietly=True), SelectVm("B"),
        Input(b"echo for B\n"), Step(400_000, quietly=True),
    )  # fmt: skip
    tails = {vm.letter: vm.console_tail for vm in last(messages).vms}
    assert tails["B"].endswith(b"for B\r\n$ ")
    assert tails["A"].endswith(b"disk: none\r\n$ ")


def test_a_paused_vm_is_not_stepped_and_the_person_is_told(session: Session) -> None:
    messages = play(
        session, Load("greedy", KIND), AddVm("greedy", KIND), PauseVm("A"), SelectVm("A"), Step(), ResumeVm("A"), Step()
    )
    assert refused(messages) == ["VM A is paused. Resume it, or select another."]
    assert [vm.executed for vm in last(messages).vms] == [1, 0]


def test_what_cannot_be_is_refused_and_changes_nothing(session: Session) -> None:
    messages = play(
        session, Load("greedy", KIND), AddVm("greedy", "bare"), AddVm("greedy", KIND, memory=1 << 30), SelectVm("Z"),
        SetWeight("A", 0), RemoveVm("A"), SetCap("A", 500),
    )  # fmt: skip
    assert len(refused(messages)) == 6
    assert [vm.letter for vm in last(messages).vms] == ["A"]


def test_resetting_one_of_several_leaves_the_record_and_the_others(session: Session) -> None:
    messages = play(
        session, Load("greedy", KIND), AddVm("hello", KIND), Step(50_000, quietly=True), SelectVm("B"), Reset(),
        RemoveVm("A"),
    )  # fmt: skip
    before, after = [message.snapshot for message in messages if isinstance(message, Updated)][-3:-1]
    assert before.end is not None
    assert after.end is None
    assert after.generation == before.generation
    assert after.trap_count == before.trap_count
    assert [vm.letter for vm in last(messages).vms] == ["B"]


def test_the_window_learns_at_once_that_what_was_typed_has_been_obeyed(session: Session) -> None:
    """Else it would have to give it to another engine, should this one die."""
    messages = play(session, Load("greedy", KIND), Input(b"x"), Keys(b"\x1e"))
    assert [message.acts for message in messages if isinstance(message, Updated)] == [0, 1, 2]


SEARCH = RunBack(BackTo.BREAKPOINT)  # through all of the past, since there is none


def test_a_guest_loaded_during_a_search_is_not_touched_by_it(session: Session) -> None:
    run = Load("greedy", KIND), Step(3_000_000, quietly=True)
    messages = play(session, *run, at_once=(SEARCH, Load("hello", KIND), Step(100, quietly=True)))
    gc.collect()
    assert last(messages).executed == session.executed == 100
    assert last(messages).generation == session.generation


def test_what_is_typed_during_a_search_counts_where_the_search_began(session: Session) -> None:
    run = Load("greedy", KIND), Step(3_000_000, quietly=True)
    play(session, *run, at_once=(SEARCH, Input(b"x")))
    typed = [each.moment.executed for each in session.travel.journal if isinstance(each.action, SerialInput)]
    assert typed == [3_000_000]
    assert session.executed == 3_000_000
