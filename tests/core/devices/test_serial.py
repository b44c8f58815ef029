"""The serial port: registers, interrupts, and that no byte is lost or changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.devices.serial import SerialPort
from core.layout import PORT_SERIAL

DATA, ENABLE, IDENTIFY, LINE, MODEM, STATUS, MODEM_STATUS, SCRATCH = range(PORT_SERIAL, PORT_SERIAL + 8)
READY, OVERRUN = 1, 2
LOOPBACK = 0x10


class Wire:
    """A port with its console and its request line, whose rising edges are counted."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.line = False
        self.rises = 0
        self.port = SerialPort(self.sent.append, self._set)

    def _set(self, level: bool) -> None:
        assert level != self.line, "told only of changes"
        self.line = level
        self.rises += level

    def read(self, port: int) -> int:
        return self.port.read_port(port, 1)

    def write(self, port: int, value: int) -> None:
        self.port.write_port(port, 1, value)

    @property
    def ready(self) -> bool:
        return bool(self.read(STATUS) & READY)

    @property
    def interrupt(self) -> int:
        """What the identification register tells, without the bits that tell of the FIFO."""
        return self.read(IDENTIFY) & 0x0F

    def drain(self) -> bytes:
        out = bytearray()
        while self.ready:
            out.append(self.read(DATA))
        return bytes(out)


def interrupting(enable: int, fifo: int = 0) -> Wire:
    """A port as a driver sets it up: OUT2 on, FIFO control, interrupts."""
    wire = Wire()
    wire.write(MODEM, 0x0B)
    wire.write(IDENTIFY, fifo)
    wire.write(ENABLE, enable)
    return wire


# -- sending


def test_what_is_sent_comes_out_and_the_transmitter_is_empty_again() -> None:
    wire = Wire()
    for byte in b"hello":
        assert wire.read(STATUS) & 0x60 == 0x60
        wire.write(DATA, byte)
    assert bytes(wire.sent) == b"hello"


def test_enabling_the_transmitter_interrupt_raises_it_and_identification_clears_it() -> None:
    wire = interrupting(2)
    assert wire.line
    assert wire.interrupt == 2
    assert not wire.line
    assert wire.interrupt == 1
    wire.write(DATA, 65)
    assert wire.line


def test_enabling_what_is_enabled_raises_nothing() -> None:
    wire = interrupting(2)
    assert wire.interrupt == 2
    wire.write(ENABLE, 2)
    assert not wire.line


def test_each_byte_sent_is_an_edge_even_if_nobody_identified_the_last() -> None:
    wire = interrupting(2)
    before = wire.rises
    for byte in b"abc":
        wire.write(DATA, byte)
    assert wire.rises == before + 3


def test_identifying_another_interrupt_does_not_clear_that_of_the_transmitter() -> None:
    wire = interrupting(3)
    wire.port.receive(b"x")
    assert wire.interrupt == 4
    wire.read(DATA)
    assert wire.interrupt == 2


# -- receiving


def test_a_received_byte_interrupts_until_it_is_read() -> None:
    wire = interrupting(1)
    wire.port.receive(b"x")
    assert wire.line
    assert wire.interrupt == 4
    assert wire.read(DATA) == ord("x")
    assert not wire.line
    assert wire.interrupt == 1


def test_without_out2_nothing_interrupts() -> None:
    wire = interrupting(1)
    wire.write(MODEM, 0x03)
    wire.port.receive(b"x")
    assert not wire.line
    wire.write(MODEM, 0x0B)
    assert wire.line


def test_the_fifo_holds_sixteen_and_without_it_there_is_room_for_one() -> None:
    for fifo, depth in ((0, 1), (1, 16)):
        wire = interrupting(0, fifo)
        wire.port.receive(bytes(100))
        assert len(wire.port.state.received) == depth
        assert len(wire.drain()) == 100


@pytest.mark.parametrize(("fifo", "trigger"), [(0x01, 1), (0x41, 4), (0x81, 8), (0xC1, 14)])
def test_the_trigger_level_tells_data_from_a_time_out(fifo: int, trigger: int) -> None:
    wire = interrupting(1, fifo)
    for have in range(1, 17):
        wire.port.receive(b"x")
        assert wire.read(IDENTIFY) == 0xC0 | (0x04 if have >= trigger else 0x0C)


def test_below_the_trigger_every_read_drops_the_request_until_the_next_time_out() -> None:
    wire = interrupting(1, 0x41)
    wire.port.receive(b"abcdef")
    before = wire.rises
    wire.read(DATA)
    wire.read(DATA)
    assert wire.rises == before  # 5, 4 left: still at the trigger
    wire.read(DATA)
    assert wire.rises == before + 1
    wire.drain()
    assert not wire.line


def test_clearing_the_receiver_empties_it_of_what_came_by_loopback_only() -> None:
    wire = interrupting(1, 1)
    wire.port.receive(b"typed")
    wire.write(MODEM, LOOPBACK)
    wire.write(DATA, ord("L"))
    wire.write(IDENTIFY, 0x03)
    assert not wire.ready  # in loopback nothing arrives from outside
    wire.write(MODEM, 0x0B)
    assert wire.drain() == b"typed"


def test_clearing_the_receiver_drops_the_request_before_what_waits_raises_it_again() -> None:
    wire = interrupting(1, 1)
    wire.port.receive(bytes(20))
    before = wire.rises
    wire.write(IDENTIFY, 0x03)
    assert wire.line
    assert wire.rises == before + 1


def test_without_the_enabling_bit_the_fifo_control_bits_are_not_looked_at() -> None:
    wire = interrupting(1, 0)
    wire.write(MODEM, LOOPBACK)
    wire.write(DATA, ord("L"))
    wire.write(IDENTIFY, 0xC2)
    assert wire.ready
    assert wire.interrupt == 4


# -- registers


def test_the_divisor_latch_hides_data_and_enable() -> None:
    wire = Wire()
    wire.write(LINE, 0x83)
    wire.write(DATA, 0x34)
    wire.write(ENABLE, 0x12)
    assert (wire.read(DATA), wire.read(ENABLE)) == (0x34, 0x12)
    assert wire.port.state.divisor == 0x1234
    wire.write(LINE, 0x03)
    assert wire.read(ENABLE) == 0
    assert not wire.sent


@pytest.mark.parametrize(("register", "bits"), [(SCRATCH, 0xFF), (MODEM, 0x1F), (LINE, 0xFF), (ENABLE, 0x0F)])
def test_registers_keep_the_bits_that_they_have(register: int, bits: int) -> None:
    wire = Wire()
    wire.write(register, 0xFF)
    assert wire.read(register) == bits


def test_a_terminal_is_there_and_ready() -> None:
    assert Wire().read(MODEM_STATUS) == 0xB0


def test_registers_are_named_by_what_a_read_or_a_write_meets() -> None:
    port = Wire().port
    assert port.describe(DATA) == "receiver buffer register"
    assert port.describe(DATA, write=True) == "transmit holding register"
    assert port.describe(IDENTIFY) == "interrupt identification register"
    assert port.describe(IDENTIFY, write=True) == "FIFO control register"
    port.write_port(LINE, 1, 0x80)
    assert port.describe(DATA, write=True) == "divisor latch, low byte"
    assert port.describe(IDENTIFY, write=True) == "FIFO control register"


# -- loopback


def test_loopback_returns_what_is_sent_in_order_and_keeps_it_from_the_console() -> None:
    wire = interrupting(0, 1)
    wire.write(MODEM, LOOPBACK)
    for byte in b"looped":
        wire.write(DATA, byte)
    assert wire.drain() == b"looped"
    assert not wire.sent


@pytest.mark.parametrize("outputs", range(16))
def test_loopback_shows_the_outputs_as_inputs(outputs: int) -> None:
    wire = Wire()
    wire.write(MODEM, LOOPBACK | outputs)
    dtr, rts, out1, out2 = (outputs >> n & 1 for n in range(4))
    assert wire.read(MODEM_STATUS) & 0xF0 == rts << 4 | dtr << 5 | out1 << 6 | out2 << 7


def test_a_full_fifo_keeps_what_it_has_and_tells_of_the_overrun_once() -> None:
    wire = interrupting(0, 1)
    wire.write(MODEM, LOOPBACK)
    for byte in range(20):
        wire.write(DATA, byte)
    assert wire.read(STATUS) & OVERRUN
    assert not wire.read(STATUS) & OVERRUN
    assert wire.drain() == bytes(range(16))


def test_without_the_fifo_an_overrun_destroys_the_byte_that_was_there() -> None:
    wire = Wire()
    wire.write(MODEM, LOOPBACK)
    wire.write(DATA, 1)
    wire.write(DATA, 2)
    assert wire.read(STATUS) & OVERRUN
    assert wire.drain() == b"\x02"


def test_in_loopback_the_request_line_is_off_but_interrupts_can_be_identified() -> None:
    wire = interrupting(1)
    wire.write(MODEM, LOOPBACK | 8)
    wire.write(DATA, 1)
    assert not wire.line
    assert wire.interrupt == 4


def test_changes_of_the_modem_inputs_are_told_once() -> None:
    wire = Wire()
    wire.write(MODEM, LOOPBACK | 0x0B)  # the same inputs as outside: no change
    assert wire.read(MODEM_STATUS) == 0xB0
    wire.write(MODEM, LOOPBACK | 0x0C)  # RTS, DTR off; OUT1 on: ringing begins, which is not told
    assert wire.read(MODEM_STATUS) == 0xC3
    assert wire.read(MODEM_STATUS) == 0xC0
    wire.write(MODEM, LOOPBACK)  # it ends, and the carrier with it
    assert wire.read(MODEM_STATUS) == 0x0C


# -- priorities


def test_interrupts_are_identified_by_their_priority() -> None:
    wire = interrupting(0x0F)
    wire.write(MODEM, LOOPBACK)
    wire.write(DATA, 1)
    wire.write(DATA, 2)
    found = []
    for cure in (STATUS, DATA, SCRATCH, MODEM_STATUS):  # the third is cured by its identification
        found.append(wire.interrupt)
        wire.read(cure)
    assert found == [6, 4, 2, 0]
    assert wire.interrupt == 1


# -- nothing typed is lost


LOOPED = 0xEE  # what the guest sends to itself, and nobody types


def _typeable(data: bytes) -> bytes:
    return data.replace(bytes([LOOPED]), b".")


_steps = st.lists(
    st.one_of(
        st.tuples(st.just("type"), st.binary(max_size=40).map(_typeable)),
        st.tuples(st.just("read"), st.integers(1, 20)),
        st.tuples(st.just("fifo"), st.integers(0, 255)),
        st.tuples(st.just("modem"), st.sampled_from([0x0B, 0x08, LOOPBACK, LOOPBACK | 0x0B])),
        st.tuples(st.just("enable"), st.integers(0, 15)),
        st.tuples(st.just("loop"), st.integers(1, 20)),
    ),
    max_size=25,
)


@given(_steps)
def test_no_byte_typed_is_lost_changed_or_reordered_whatever_the_guest_sets(steps: list[tuple[str, object]]) -> None:
    wire = interrupting(1)
    typed, read = bytearray(), bytearray()
    for step in steps:
        match step:
            case "type", bytes(data):
                wire.port.receive(data)
                typed += data
            case "read", int(count):
                read += bytes(wire.read(DATA) for _ in range(count) if wire.ready)
            case "fifo", int(value):
                wire.write(IDENTIFY, value)
            case "modem", int(value):
                wire.write(MODEM, value)
            case "enable", int(value):
                wire.write(ENABLE, value)
            case "loop", int(count):
                wire.write(MODEM, LOOPBACK)
                for _ in range(count):
                    wire.write(DATA, LOOPED)
    wire.write(MODEM, 0x0B)
    assert (read + wire.drain()).replace(bytes([LOOPED]), b"") == typed


@given(st.sampled_from([0, 1, 0x41, 0x81, 0xC1]), st.lists(st.binary(min_size=1, max_size=60), max_size=8))
def test_a_driver_that_acts_on_edges_alone_gets_everything(fifo: int, typed: list[bytes]) -> None:
    wire = interrupting(1, fifo)
    got = bytearray()
    served = 0
    for data in typed:
        wire.port.receive(data)
        while served < wire.rises:  # one run of the handler answers all edges so far, as IRR remembers one
            served = wire.rises
            match wire.interrupt:
                case 0x04 if fifo:  # at the trigger: as many as there are for sure
                    while wire.interrupt == 0x04:
                        got.append(wire.read(DATA))
                case 0x04 | 0x0C:
                    got.append(wire.read(DATA))
    assert bytes(got) == b"".join(typed)


@given(st.lists(st.binary(max_size=40), max_size=8), st.sampled_from([0, 1, 0x81]))
def test_the_line_tells_exactly_of_data(typed: list[bytes], fifo: int) -> None:
    wire = interrupting(1, fifo)
    for data in typed:
        wire.port.receive(data)
        assert wire.line is wire.ready
        if wire.ready:
            wire.read(DATA)
        assert wire.line is wire.ready
