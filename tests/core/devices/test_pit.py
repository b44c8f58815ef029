"""The timer, case by case, by the data sheet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.devices.pit import CONTROL, tick_at, time_of
from core.layout import PORT_PIT, PORT_SYSTEM_CONTROL
from tests.core.devices.timer_board import Board


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
    assert board.read(PORT_PIT) == 900 & 0xFF
    board.write(CONTROL, 0)  # a second one is not looked at
    assert board.read(PORT_PIT) == 900 >> 8
    assert board.count(0) == 501


def test_a_control_word_forgets_what_was_latched_and_which_byte_is_next() -> None:
    board = Board()
    board.program(0, 2, 1000)
    board.at_tick(101)
    assert board.read(PORT_PIT) == 900 & 0xFF
    board.write(CONTROL, 0xC2)
    board.program(0, 2, 0x1234)
    board.at_tick(102)
    assert board.read(PORT_PIT) == 0x34


def test_read_back_gives_status_then_count_whichever_was_latched_first() -> None:
    board = Board()
    board.program(0, 2, 1000)
    board.at_tick(101)
    board.write(CONTROL, 0xD2)  # the count of channel 0
    board.at_tick(301)
    board.write(CONTROL, 0xE2)  # its status
    board.write_count(0, 500)
    board.write(CONTROL, 0xE2)  # a second one is not looked at: it would tell of a count not yet loaded
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


def test_bcd_counts_on_from_9999_after_its_end() -> None:
    board = Board()
    board.program(0, 0, 20, bcd=True)
    board.at_tick(23)
    assert board.count(0) == 0x9998


def test_a_count_of_one_byte_pulls_the_output_low_at_once() -> None:
    board = Board()
    board.write(CONTROL, 0x10)
    board.write(PORT_PIT, 5)
    board.at_tick(20)
    assert board.level
    board.write(PORT_PIT, 5)
    assert not board.level


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


@pytest.mark.parametrize("count", [100, 101])
@pytest.mark.parametrize("tick", range(195, 215))
def test_late_news_of_a_square_wave_is_one_edge_whether_it_is_high_or_low_by_then(count: int, tick: int) -> None:
    board = Board()
    board.program(0, 3, count)
    board.time = time_of(tick)
    board.pit.advance(board.time)
    assert board.rises == [tick]
    assert board.pit.next_event() == time_of(next(rise for rise in range(1, 999, count) if rise > tick))
