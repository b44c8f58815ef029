"""The timer under any sequence of accesses and waits, against a chip that really counts, tick by tick."""

from __future__ import annotations

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from core.devices.pit import CONTROL, Channel, Pit
from core.layout import PORT_PIT, PORT_SYSTEM_CONTROL
from tests.core.devices.reference_8254 import ReferencePit
from tests.core.devices.timer_board import Board

_byte = st.one_of(st.integers(0, 9), st.sampled_from([0x10, 0x15, 0x25, 0x99]))


@st.composite
def _sequences(draw: st.DrawFn) -> list[tuple[int, ...]]:
    """Port accesses, (port,) or (port, value), and waits, (-1, ticks, how far into the tick); mostly of one channel."""
    channel = draw(st.sampled_from([0, 0, 1, 2, 2]))
    port = PORT_PIT + channel
    out: list[tuple[int, ...]] = []
    for _ in range(draw(st.integers(1, 25))):
        match draw(st.integers(0, 8)):
            case 0:  # a control word and its count
                out.append(
                    (CONTROL, channel << 6 | draw(st.sampled_from([0x10, 0x20, 0x30])) | draw(st.integers(0, 15)))
                )
                out += [(port, draw(_byte)), (port, draw(st.sampled_from([0, 0, 0, 1])))]
            case 1:  # part of a count, or the whole of one
                out += [(port, draw(_byte)) for _ in range(draw(st.integers(1, 2)))]
            case 2:
                out.append(
                    (CONTROL, draw(st.one_of(st.just(channel << 6), st.integers(0xC0, 0xFF), st.integers(0, 255))))
                )
            case 3:
                out += [(port,)] * draw(st.integers(1, 3))
            case 4:
                out += [(PORT_SYSTEM_CONTROL, bit) for bit in draw(st.sampled_from([(0,), (1,), (0, 1)]))]
            case 5:
                out.append((draw(st.sampled_from([0x40, 0x41, 0x42, CONTROL, PORT_SYSTEM_CONTROL])),))
            case _:
                out.append((-1, draw(st.sampled_from([1, 1, 2, 3, 7, 8, 20, 60, 300])), draw(st.integers(0, 82))))
    return [*out, (CONTROL, 0xCE), *[(0x40 + n,) for n in (0, 0, 0, 1, 1, 1, 2, 2, 2)], (PORT_SYSTEM_CONTROL,)]


@settings(max_examples=300)
@given(_sequences())
def test_any_sequence_agrees_with_the_reference(sequence: list[tuple[int, ...]]) -> None:
    board, reference = Board(), ReferencePit()
    for step in sequence:
        match step:
            case -1, ticks, late:
                before, rises = len(board.rises), reference.counters[0].rises
                board.at_tick(reference.now + ticks, late)
                reference.wait(ticks)
                assert len(board.rises) - before == reference.counters[0].rises - rises
            case port, value:
                board.write(port, value)
                reference.write(port, value)
            case (port,):
                assert board.read(port) == reference.read(port)
        assert [each.counter.output for each in _now(board)] == [each.out for each in reference.counters]


def _now(board: Board) -> list[Channel]:
    """The channels, all brought up to the present by looking at their status (which changes nothing on a copy)."""
    shadow = Pit(lambda: board.time, lambda level: None)
    shadow.state = copy.deepcopy(board.pit.state)
    shadow.write_port(CONTROL, 1, 0xEE)
    return shadow.state.channels


@given(st.integers(0, 5), st.integers(2, 300), st.lists(st.integers(1, 500), max_size=20))
def test_edges_do_not_depend_on_how_often_one_looks(mode: int, count: int, looks: list[int]) -> None:
    rarely, often = Board(), Board()
    for board in (rarely, often):
        board.program(0, mode, count)
    at = 0
    for step in looks:
        at += step
        often.at_tick(at)
        often.count(0)
    rarely.at_tick(at)
    assert rarely.rises == often.rises


@given(st.integers(0, 5), st.integers(2, 70_000), st.integers(0, 10**9))
def test_the_next_event_is_the_very_first_moment_of_the_rise(mode: int, count: int, start: int) -> None:
    board = Board()
    board.time = start
    board.program(0, mode, count)
    due = board.pit.next_event()
    assert (due is None) is (mode in (1, 5))  # the gate of channel 0 never rises
    if due is not None:
        board.time = due - 1
        board.pit.advance(board.time)
        assert not board.rises
        board.time = due
        board.pit.advance(board.time)
        assert board.rises
