"""On to the next write: every store to a word is met, right after the instruction that going back leads to before."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.events import StopReason
from core.layout import MIB
from core.looks import Space
from core.rewind import look
from core.session import Session
from tests.core.test_last_write import (
    ACCESSED,
    ACROSS,
    BY_THE_MONITOR,
    INTERRUPTS,
    NAMES,
    OF_EVERY_MAKE,
    WORD,
    all_back,
)
from tests.core.test_session import each_kind
from tests.core.timeline.test_timeline import COUNTING, HOSTED, recorded


def met(session: Session, limit: int, address: int | None = None) -> list[int]:
    """After how many instructions it stops at each write to the guest's `word`, or there, up to that count."""
    assert session.program is not None
    address = address or session.program.symbols["word"]
    found = []
    while True:
        awaited = session.next_write(Space.LINEAR, address)
        reason = session.run_to_write(awaited, limit)
        if awaited.written is None:
            return found
        assert reason is StopReason.BREAKPOINT
        assert "wrote to the word" in session.sentence
        found.append(session.executed)


@each_kind
@settings(max_examples=2)
@given(stores=st.lists(st.tuples(st.sampled_from([1, 2, 4]), st.integers(-5, 5)), min_size=1, max_size=10))
@example(stores=[(4, 0), (1, 3), (4, -3), (4, -4), (1, 4), (2, -1)])
def test_every_store_that_reaches_the_word_is_met(kind: str, stores: list[tuple[int, int]]) -> None:
    """All of them store zeroes where there are zeroes."""
    lines = "\n".join(f"mov {NAMES[size]} ptr [word + {at}], 0" for size, at in stores)
    session = recorded(f"nop\n{lines}\ndone: jmp done\n{WORD}", kind)
    reaching = [2 + n for n, (size, at) in enumerate(stores) if at < 4 and at + size > 0]
    assert met(session, len(stores) + 50) == reaching
    session.close()


@each_kind
@pytest.mark.parametrize(
    ("guest", "address"), [(OF_EVERY_MAKE, None), (INTERRUPTS, None), (BY_THE_MONITOR, None), (ACCESSED, None)]
)
def test_what_is_met_on_the_way_is_what_is_found_on_the_way_back(kind: str, guest: str, address: int | None) -> None:
    """Stores of every make, what a delivery pushes, what a monitor stores, the bits that the MMU sets."""
    start = "" if "_start:" in guest else ".globl _start\n_start:\n"
    session = recorded(f"{start}{guest}", kind)
    found = met(session, 600, address)
    session.travel.go_to(600)
    assert [each + 1 for each in reversed(all_back(session, address)[:-1])] == found
    session.close()


@each_kind
def test_a_store_that_begins_in_the_page_before_is_met(kind: str) -> None:
    session = recorded(ACROSS, kind)
    session.step(13)  # paging is on
    found = met(session, 60, 0x40_1000)
    session.travel.go_to(60)
    assert [each + 1 for each in reversed(all_back(session, 0x40_1000)[:-1])] == found
    assert len(found) == 5
    session.close()


@pytest.mark.parametrize("kind", HOSTED)
def test_a_page_that_was_taken_and_comes_back_is_followed(kind: str) -> None:
    store = f"mov dword ptr [word], 0\nmov ecx, 900\nspin: loop spin\nmov dword ptr [word], 0\ndone: jmp done\n{WORD}"
    session = recorded(store, kind)
    session.step(100)
    session.vms.balloon("A", 14 * MIB)
    assert met(session, 3_000) == [903]
    session.close()


@each_kind
def test_waiting_for_a_write_changes_nothing_in_the_run(kind: str) -> None:
    session = recorded(f".globl _start\n_start:\n{INTERRUPTS}", kind)
    assert session.program is not None
    assert met(session, 400)
    session.run(400 - session.machine_executed)
    seen = look(session)
    session.load(session.program, kind)
    session.run(400)
    assert seen.differences(look(session)) == []
    session.close()


@each_kind
def test_in_the_past_what_a_person_set_there_is_met_as_theirs(kind: str) -> None:
    session = recorded(COUNTING, kind)
    session.step(500)
    for _ in range(2):  # the second time it is what stands there
        session.inputs.edit_memory(Space.LINEAR, 0x30_0000, b"abcd")
        session.step(500)
    session.travel.go_to(100)
    for count in (500, 1_000):
        session.run_to_write(session.next_write(Space.LINEAR, 0x30_0000), 1_500)
        assert session.executed == count
        assert session.sentence.startswith("Done here from outside: ")
    assert len(session.timeline.branches) == 1
    session.close()
