"""The serial port: registers, interrupts, and that no byte is lost or changed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.devices.serial import SerialPort
from core.layout import PORT_SERIAL

DATA, ENABLE, IDENTIFY, LINE, MODEM, STATUS, MODEM_STATUS, SCRATCH = range(PORT_SERIAL, PORT_SERIAL + 8)


class Wire:
    """A port with its console and its request line."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.line = False
        self.port = SerialPort(self.sent.append, self._set)

    def _set(self, level: bool) -> None:
        self.line = level

    def read(self, port: int) -> int:
        return self.port.read_port(port, 1)

    def write(self, port: int, value: int) -> None:
        self.port.write_port(port, 1, value)


def interrupting(enable: int, fifo: int = 0) -> Wire:
    wire = Wire()
    wire.write(MODEM, 0x0B)
    wire.write(IDENTIFY, fifo)
    wire.write(ENABLE, enable)
    return wire


def test_what_is_sent_comes_out_and_the_transmitter_is_empty_again() -> None:
    wire = Wire()
    for byte in b"hello":
        assert wire.read(STATUS) & 0x60 == 0x60
        wire.write(DATA, byte)
    assert bytes(wire.sent) == b"hello"


def test_the_divisor_latch_hides_data_and_enable() -> None:
    wire = Wire()
    wire.write(LINE, 0x83)
    wire.write(DATA, 0x34)
    wire.write(ENABLE, 0x12)
    assert (wire.read(DATA), wire.read(ENABLE)) == (0x34, 0x12)
    wire.write(LINE, 0x03)
    assert wire.read(ENABLE) == 0
    assert not wire.sent


def test_a_received_byte_interrupts_until_it_is_read() -> None:
    wire = interrupting(1)
    wire.port.receive(b"x")
    assert wire.line
    assert wire.read(IDENTIFY) & 0x0F == 4
    assert wire.read(DATA) == ord("x")
    assert not wire.line
    assert wire.read(IDENTIFY) & 0x0F == 1


def test_without_out2_nothing_interrupts() -> None:
    wire = interrupting(1)
    wire.write(MODEM, 0x03)
    wire.port.receive(b"x")
    assert not wire.line


def test_enabling_the_transmitter_interrupt_raises_it_and_identification_clears_it() -> None:
    wire = interrupting(2)
    assert wire.line
    assert wire.read(IDENTIFY) & 0x0F == 2
    assert not wire.line
    wire.write(DATA, 65)
    assert wire.line


def test_received_data_comes_before_an_empty_transmitter() -> None:
    wire = interrupting(3)
    wire.port.receive(b"x")
    assert wire.read(IDENTIFY) & 0x0F == 4
    wire.read(DATA)
    assert wire.read(IDENTIFY) & 0x0F == 2


def test_below_the_trigger_level_the_timeout_interrupt_tells_of_data() -> None:
    wire = interrupting(1, fifo=0xC1)
    wire.port.receive(b"abc")
    assert wire.read(IDENTIFY) & 0x0F == 0x0C
    wire.port.receive(b"d" * 20)
    assert wire.read(IDENTIFY) & 0x0F == 4


def test_loopback_returns_what_is_sent_and_shows_the_outputs_as_inputs() -> None:
    wire = Wire()
    wire.write(MODEM, 0x1F)
    wire.write(DATA, 0x5A)
    assert wire.read(DATA) == 0x5A
    assert not wire.sent
    assert wire.read(MODEM_STATUS) & 0xF0 == 0xF0


def test_the_scratch_register_keeps_anything() -> None:
    wire = Wire()
    wire.write(SCRATCH, 0xA5)
    assert wire.read(SCRATCH) == 0xA5


@given(st.lists(st.one_of(st.binary(max_size=40), st.just(None)), max_size=20), st.sampled_from([0, 1, 0x41, 0xC1]))
def test_no_byte_typed_is_lost_changed_or_reordered(steps: list[bytes | None], fifo: int) -> None:
    """None: the guest reads one byte if there is one; bytes: the person types them."""
    wire = interrupting(1, fifo)
    typed, read = bytearray(), bytearray()
    for step in steps:
        if step is not None:
            wire.port.receive(step)
            typed += step
        elif wire.read(STATUS) & 1:
            read.append(wire.read(DATA))
        assert wire.line is bool(wire.read(STATUS) & 1)
    while wire.read(STATUS) & 1:
        read.append(wire.read(DATA))
    assert read == typed
