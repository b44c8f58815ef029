"""The timer, by the data sheet and against a counter that really counts, tick by tick."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.devices.pit import CONTROL, Pit, next_rise, output, tick_at, time_of
from core.layout import PORT_PIT, PORT_SYSTEM_CONTROL


class Board:
    """A timer, a clock that stands still until moved, and the edges of request line 0 with their ticks."""

    def __init__(self) -> None:
        self.time = 0
        self.rises: list[int] = []
        self.pit = Pit(lambda: self.time, self._line)

    def _line(self, level: bool) -> None:
        if level:
            self.rises.append(tick_at(self.time))

    def at_tick(self, tick: int) -> None:
        """Go to the first moment of `tick`, as the machine does: stopping at each event."""
        while (due := self.pit.next_event()) is not None and due < time_of(tick):
            self.time = max(due, self.time)
            self.pit.advance(self.time)
        self.time = time_of(tick)
        self.pit.advance(self.time)

    def program(self, channel: int, mode: int, count: int, bcd: bool = False) -> None:
        self.pit.write_port(CONTROL, 1, channel << 6 | 0x30 | mode << 1 | bcd)
        raw = int(str(count % 10000), 16) if bcd else count & 0xFFFF
        self.pit.write_port(PORT_PIT + channel, 1, raw & 0xFF)
        self.pit.write_port(PORT_PIT + channel, 1, raw >> 8)

    def read(self, channel: int) -> int:
        self.pit.write_port(CONTROL, 1, channel << 6)
        return self.pit.read_port(PORT_PIT + channel, 1) | self.pit.read_port(PORT_PIT + channel, 1) << 8


@given(st.integers(0, 10**12))
def test_ticks_and_times_agree(tick: int) -> None:
    assert tick_at(time_of(tick)) == tick
    assert tick == 0 or tick_at(time_of(tick) - 1) == tick - 1


def test_a_rate_generator_requests_at_every_period() -> None:
    board = Board()
    board.program(0, 2, 100)
    board.at_tick(450)
    assert board.rises == [101, 201, 301, 401]  # the count is loaded at tick 1


def test_a_square_wave_requests_at_every_period() -> None:
    board = Board()
    board.program(0, 3, 101)
    board.at_tick(310)
    assert board.rises == [102, 203, 304]


def test_interrupt_on_terminal_count_requests_once() -> None:
    board = Board()
    board.program(0, 0, 50)
    board.at_tick(500)
    assert board.rises == [51]


def test_a_count_of_zero_is_the_longest() -> None:
    board = Board()
    board.program(0, 2, 0)
    board.at_tick(70000)
    assert board.rises == [65537]


def test_a_new_count_of_a_running_rate_generator_waits_for_the_end_of_the_period() -> None:
    board = Board()
    board.program(0, 2, 100)
    board.at_tick(30)
    board.pit.write_port(PORT_PIT, 1, 40)
    board.pit.write_port(PORT_PIT, 1, 0)
    board.at_tick(200)
    assert board.rises == [101, 141, 181]


def test_a_latched_count_stays_until_it_is_read() -> None:
    board = Board()
    board.program(0, 2, 1000)
    board.at_tick(101)
    board.pit.write_port(CONTROL, 1, 0)
    board.at_tick(500)
    assert board.pit.read_port(PORT_PIT, 1) | board.pit.read_port(PORT_PIT, 1) << 8 == 900


def test_read_back_gives_status_then_count() -> None:
    board = Board()
    board.program(0, 2, 1000)
    board.at_tick(101)
    board.pit.write_port(CONTROL, 1, 0xC2)  # count and status of channel 0
    status = board.pit.read_port(PORT_PIT, 1)
    assert status == 0x80 | 0x30 | 2 << 1
    assert board.pit.read_port(PORT_PIT, 1) | board.pit.read_port(PORT_PIT, 1) << 8 == 900


def test_bcd_counts_in_decimal_digits() -> None:
    board = Board()
    board.program(0, 2, 1000, bcd=True)
    board.at_tick(2)
    assert board.read(0) == 0x0999


def test_channel_2_is_gated_and_seen_through_port_61() -> None:
    board = Board()
    board.pit.write_port(PORT_SYSTEM_CONTROL, 1, 0)
    board.program(2, 0, 100)
    board.at_tick(500)
    assert not board.pit.read_port(PORT_SYSTEM_CONTROL, 1) & 0x20  # the gate is low: it does not count
    board.pit.write_port(PORT_SYSTEM_CONTROL, 1, 1)
    board.at_tick(700)
    assert board.pit.read_port(PORT_SYSTEM_CONTROL, 1) & 0x20


def test_late_news_of_several_periods_is_one_edge() -> None:
    board = Board()
    board.program(0, 2, 100)
    board.time = time_of(1000)
    board.pit.advance(board.time)
    assert board.rises == [1000]
    assert board.pit.next_event() == time_of(1001)


class Counting:
    """A counting element that does what the data sheet says at each tick; gate high."""

    def __init__(self, mode: int, count: int) -> None:
        self.mode, self.full, self.left, self.high = mode, count, count, mode != 0
        self.rises: list[int] = []

    def tick(self, now: int) -> None:
        before = self.high
        match self.mode:
            case 0:
                self.left -= 1
                self.high = self.high or self.left == 0
            case 2:
                self.left -= 1
                self.high = self.left != 1
                if self.left == 0:
                    self.left, self.high = self.full, True
            case 3:
                self.left -= 1
                if self.left == (self.full - (self.full + 1) // 2):
                    self.high = False
                if self.left == 0:
                    self.left, self.high = self.full, True
            case 4:
                self.left -= 1
                self.high = self.left != 0
        if self.high and not before:
            self.rises.append(now)


@given(st.sampled_from([0, 2, 3, 4]), st.integers(2, 40), st.integers(1, 200))
def test_outputs_and_edges_agree_with_a_counter_that_counts(mode: int, count: int, ticks: int) -> None:
    board = Board()
    board.program(0, mode, count)
    reference = Counting(mode, count)
    channel = board.pit.state.channels[0]
    rises, edge = [], next_rise(channel, 0)
    for now in range(2, ticks + 2):  # loaded at tick 1, first counted at tick 2
        reference.tick(now)
        assert output(channel, now) is reference.high, now
        if edge == now:
            rises.append(now)
            edge = next_rise(channel, now)
    assert rises == reference.rises


@given(st.sampled_from([0, 2, 3, 4]), st.integers(2, 300), st.lists(st.integers(1, 500), max_size=20))
def test_edges_do_not_depend_on_how_often_one_looks(mode: int, count: int, looks: list[int]) -> None:
    rarely, often = Board(), Board()
    for board in (rarely, often):
        board.program(0, mode, count)
    at = 0
    for step in looks:
        at += step
        often.at_tick(at)
        often.read(0)
    rarely.at_tick(at)
    assert rarely.rises == often.rises
