"""The timer, by the data sheet and against a chip that really counts, tick by tick."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.devices.pit import CONTROL, Channel, Pit, tick_at, time_of
from core.layout import PORT_PIT, PORT_SYSTEM_CONTROL
from tests.core.devices.reference_8254 import ReferencePit


class Board:
    """A timer, a clock that stands still until moved, and the edges of request line 0 with their ticks."""

    def __init__(self) -> None:
        self.time = 0
        self.rises: list[int] = []
        self.level = False
        self.pit = Pit(lambda: self.time, self._line)

    def _line(self, level: bool) -> None:
        if level and not self.level:
            self.rises.append(tick_at(self.time))
        self.level = level

    def at_tick(self, tick: int, late: int = 0) -> None:
        """Go to `tick`, as the machine does: stopping at each event. `late`: how far into the tick, 0 to 82."""
        while (due := self.pit.next_event()) is not None and due < time_of(tick):
            assert due > self.time or due == time_of(tick_at(due))
            self.time = max(due, self.time)
            self.pit.advance(self.time)
        self.time = time_of(tick) + late
        self.pit.advance(self.time)

    def write(self, port: int, value: int) -> None:
        self.pit.write_port(port, 1, value)

    def read(self, port: int) -> int:
        return self.pit.read_port(port, 1)

    def program(self, channel: int, mode: int, count: int, bcd: bool = False) -> None:
        self.write(CONTROL, channel << 6 | 0x30 | mode << 1 | bcd)
        self.write_count(channel, int(str(count % 10000), 16) if bcd else count & 0xFFFF)

    def write_count(self, channel: int, raw: int) -> None:
        self.write(PORT_PIT + channel, raw & 0xFF)
        self.write(PORT_PIT + channel, raw >> 8)

    def count(self, channel: int) -> int:
        self.write(CONTROL, channel << 6)
        return self.read(PORT_PIT + channel) | self.read(PORT_PIT + channel) << 8

    @property
    def speaker(self) -> bool:
        return bool(self.read(PORT_SYSTEM_CONTROL) & 0x20)

    def counts(self, channel: int, ticks: range) -> list[int]:
        found = []
        for tick in ticks:
            self.at_tick(tick)
            found.append(self.count(channel))
        return found


@given(st.integers(0, 10**12))
def test_ticks_and_times_agree(tick: int) -> None:
    assert tick_at(time_of(tick)) == tick
    assert tick == 0 or tick_at(time_of(tick) - 1) == tick - 1


# -- modes


def test_a_timer_that_nobody_programmed_never_asks() -> None:
    assert Board().pit.next_event() is None


def test_a_rate_generator_requests_at_every_period() -> None:
    board = Board()
    board.program(0, 2, 100)
    board.at_tick(450)
    assert board.rises == [101, 201, 301, 401]  # the count is loaded at tick 1


@pytest.mark.parametrize("count", [100, 101])
def test_a_square_wave_requests_at_every_period(count: int) -> None:
    board = Board()
    board.program(0, 3, count)
    board.at_tick(310)
    assert board.rises == [1 + count, 1 + 2 * count, 1 + 3 * count]


def test_a_square_wave_of_an_even_count_counts_by_two_in_equal_halves() -> None:
    board = Board()
    board.program(0, 3, 4)
    assert board.counts(0, range(1, 10)) == [4, 2, 4, 2, 4, 2, 4, 2, 4]


def test_a_square_wave_of_an_odd_count_is_high_for_one_tick_more() -> None:
    board = Board()
    board.write(PORT_SYSTEM_CONTROL, 1)
    board.program(2, 3, 5)
    assert board.counts(2, range(1, 11)) == [4, 2, 0, 4, 2, 4, 2, 0, 4, 2]
    levels = []
    for tick in range(11, 21):
        board.at_tick(tick)
        levels.append(board.speaker)
    assert levels == [True, True, True, False, False] * 2


def test_interrupt_on_terminal_count_requests_once_and_counts_on() -> None:
    board = Board()
    board.program(0, 0, 50)
    board.at_tick(52)
    assert board.rises == [51]
    assert board.count(0) == 0xFFFF
    board.at_tick(200_000)
    assert board.rises == [51]


def test_the_first_byte_of_a_new_count_stops_an_interrupt_on_terminal_count() -> None:
    board = Board()
    board.program(0, 0, 50)
    board.at_tick(30)
    board.write(PORT_PIT, 10)
    board.at_tick(500)
    assert board.rises == []
    board.write(PORT_PIT, 0)
    board.at_tick(1000)
    assert board.rises == [511]


def test_a_count_of_zero_is_the_longest() -> None:
    board = Board()
    board.program(0, 2, 0)
    board.at_tick(70000)
    assert board.rises == [65537]


@pytest.mark.parametrize(("mode", "rises"), [(2, [101, 141, 181]), (3, [71, 111, 151, 191])])
def test_a_new_count_waits_for_the_end_of_the_period_or_half_period(mode: int, rises: list[int]) -> None:
    board = Board()
    board.program(0, mode, 100)
    board.at_tick(30)
    board.write_count(0, 40)
    board.at_tick(200)
    assert board.rises == rises


def test_a_software_strobe_is_low_for_one_tick() -> None:
    board = Board()
    board.program(0, 4, 10)
    board.at_tick(100)
    assert board.rises == [12]  # loaded at 1, low at 11


def test_a_one_shot_waits_for_its_gate_and_can_be_triggered_again() -> None:
    board = Board()
    board.program(2, 1, 10)
    board.at_tick(50)
    assert board.speaker
    board.write(PORT_SYSTEM_CONTROL, 1)
    assert board.speaker  # "low on the CLK pulse following a trigger"
    board.at_tick(51)
    assert not board.speaker
    board.at_tick(56)
    board.write(PORT_SYSTEM_CONTROL, 0)
    board.write(PORT_SYSTEM_CONTROL, 1)
    board.at_tick(66)
    assert not board.speaker
    board.at_tick(67)
    assert board.speaker


def test_channel_2_is_gated_and_seen_through_port_61() -> None:
    board = Board()
    board.program(2, 0, 100)
    board.at_tick(500)
    assert not board.speaker  # its gate is low from power-on: it does not count
    board.write(PORT_SYSTEM_CONTROL, 1)
    board.at_tick(599)
    assert not board.speaker
    board.at_tick(600)
    assert board.speaker


def test_a_low_gate_lifts_the_output_of_a_square_wave_and_a_high_one_begins_it_anew() -> None:
    board = Board()
    board.write(PORT_SYSTEM_CONTROL, 1)
    board.program(2, 3, 100)
    board.at_tick(60)
    assert not board.speaker
    board.write(PORT_SYSTEM_CONTROL, 0)
    assert board.speaker
    board.at_tick(1000)
    board.write(PORT_SYSTEM_CONTROL, 1)
    board.at_tick(1050)
    assert board.speaker
    board.at_tick(1051)
    assert not board.speaker


# -- reading


def test_a_latched_count_stays_until_it_is_read() -> None:
    board = Board()
    board.program(0, 2, 1000)
    board.at_tick(101)
    board.write(CONTROL, 0)
    board.at_tick(500)
    assert board.read(PORT_PIT) | board.read(PORT_PIT) << 8 == 900


def test_read_back_gives_status_then_count_whichever_was_latched_first() -> None:
    board = Board()
    board.program(0, 2, 1000)
    board.at_tick(101)
    board.write(CONTROL, 0xD2)  # the count of channel 0
    board.at_tick(301)
    board.write(CONTROL, 0xE2)  # its status
    board.write(CONTROL, 0xE2)  # a second one is not looked at
    assert board.read(PORT_PIT) == 0x80 | 0x30 | 2 << 1
    assert board.read(PORT_PIT) | board.read(PORT_PIT) << 8 == 900


def test_the_status_tells_of_a_count_that_is_not_yet_loaded() -> None:
    board = Board()
    board.program(0, 0, 50)
    board.write(CONTROL, 0xE2)
    assert board.read(PORT_PIT) == 0x40 | 0x30
    board.at_tick(1)
    board.write(CONTROL, 0xE2)
    assert board.read(PORT_PIT) == 0x30


def test_bcd_counts_in_decimal_digits() -> None:
    board = Board()
    board.program(0, 2, 1000, bcd=True)
    board.at_tick(2)
    assert board.count(0) == 0x0999


def test_the_refresh_bit_toggles_every_15_microseconds() -> None:
    board = Board()
    bits = []
    for tick in (0, 17, 18, 35, 36):
        board.at_tick(tick)
        bits.append(board.read(PORT_SYSTEM_CONTROL) & 0x10)
    assert bits == [0, 0, 0x10, 0x10, 0]


# -- the request line


def test_late_news_of_several_periods_is_one_edge() -> None:
    board = Board()
    board.program(0, 2, 100)
    board.time = time_of(1000)
    board.pit.advance(board.time)
    assert board.rises == [1000]
    assert board.pit.next_event() == time_of(1001)


def test_a_waiting_request_is_not_withdrawn_while_a_square_wave_is_low() -> None:
    board = Board()
    board.program(0, 3, 100)
    board.at_tick(180)
    assert board.rises == [101]
    assert board.level


def test_a_new_mode_drops_or_raises_the_line_with_the_output() -> None:
    board = Board()
    board.program(0, 0, 50)
    board.at_tick(60)
    assert board.level
    board.write(CONTROL, 0x30)  # mode 0 begins low
    assert not board.level
    board.write(CONTROL, 0x34)  # mode 2 begins high: on a PC, too, this is an edge
    assert board.rises == [51, 60]


# -- any sequence


_small = st.one_of(st.integers(0, 12), st.sampled_from([0x10, 0x25, 0x99]))
_access = st.sampled_from([0x10, 0x20, 0x30, 0x30, 0x00])
_writes = st.one_of(
    st.builds(lambda channel, access, low: (CONTROL, channel << 6 | access | low),
              st.sampled_from([0, 0, 1, 2, 2]), _access, st.integers(0, 15)),
    st.tuples(st.just(CONTROL), st.integers(0xC0, 0xFF)),
    st.tuples(st.sampled_from([0x40, 0x40, 0x41, 0x42, 0x42]), _small),
    st.tuples(st.just(PORT_SYSTEM_CONTROL), st.integers(0, 15)),
)  # fmt: skip
_setups = st.builds(
    lambda channel, mode, count: ("program", channel, mode, count),
    st.sampled_from([0, 2]), st.integers(0, 15), st.integers(1, 25),
)  # fmt: skip
_actions = st.lists(
    st.one_of(
        _writes,
        _setups,
        st.sampled_from([0x40, 0x41, 0x42, 0x43, PORT_SYSTEM_CONTROL]),
        st.tuples(st.just("wait"), st.integers(1, 60), st.integers(0, 82)),
        st.tuples(st.just("wait"), st.sampled_from([1, 1, 2, 300]), st.integers(0, 82)),
    ),
    max_size=40,
)


@given(_actions)
def test_any_sequence_agrees_with_the_reference(actions: list[int | tuple[object, ...]]) -> None:
    board, reference = Board(), ReferencePit()
    for action in [*actions, 0x40, 0x40, 0x40, 0x41, 0x42, 0x42, 0x42, PORT_SYSTEM_CONTROL]:
        match action:
            case "wait", int(ticks), int(late):
                before, rises = len(board.rises), reference.counters[0].rises
                board.at_tick(reference.now + ticks, late)
                reference.wait(ticks)
                assert len(board.rises) - before == reference.counters[0].rises - rises
            case "program", int(channel), int(low), int(count):
                for port, value in ((CONTROL, channel << 6 | 0x30 | low), (0x40 + channel, count), (0x40 + channel, 0)):
                    if low & 1 and value == count:
                        value = count % 10 | count // 10 << 4
                    board.write(port, value)
                    reference.write(port, value)
            case int(port), int(value):
                if port < CONTROL and reference.counters[port - 0x40].decimal:
                    value = int(f"{value:x}".translate(str.maketrans("abcdef", "012345")), 16)  # only digits are defined
                board.write(port, value)
                reference.write(port, value)
            case int(port):
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
