"""The interrupt controller, by the data sheet and against a reference that is written as the data sheet speaks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.devices.pic import Pic

MASTER, SLAVE = 0x20, 0xA0


class Intr:
    """The CPU's INTR input."""

    def __init__(self) -> None:
        self.level = False

    def __call__(self, level: bool) -> None:
        self.level = level


def ready(icw4: int = 1, mask: int = 0) -> tuple[Pic, Intr]:
    """Both chips initialised as every PC's, vectors 0x20 and 0x28."""
    intr = Intr()
    pic = Pic(intr)
    for port, base, wiring in ((MASTER, 0x20, 4), (SLAVE, 0x28, 2)):
        pic.write_port(port, 1, 0x11)
        for word in (base, wiring, icw4, mask):
            pic.write_port(port + 1, 1, word)
    return pic, intr


def pulse(pic: Pic, irq: int) -> None:
    pic.line(irq)(False)
    pic.line(irq)(True)


def test_before_initialisation_every_input_is_masked() -> None:
    intr = Intr()
    pic = Pic(intr)
    pulse(pic, 0)
    assert not intr.level


@pytest.mark.parametrize("irq", [0, 1, 3, 7, 8, 12, 15])
def test_a_request_raises_intr_and_its_vector_is_given(irq: int) -> None:
    pic, intr = ready()
    pulse(pic, irq)
    assert intr.level
    assert pic.acknowledge() == 0x20 + irq
    assert not intr.level


def test_a_line_that_stays_high_is_one_request() -> None:
    pic, intr = ready()
    pic.line(4)(True)
    pic.acknowledge()
    pic.write_port(MASTER, 1, 0x20)
    pic.line(4)(True)
    assert not intr.level


def test_a_request_withdrawn_before_the_acknowledge_gives_the_spurious_vector() -> None:
    pic, intr = ready()
    pulse(pic, 3)
    pic.line(3)(False)
    assert not intr.level
    assert pic.acknowledge() == 0x27
    pic.write_port(MASTER, 1, 0x0B)
    assert pic.read_port(MASTER, 1) == 0  # nothing is in service


def test_a_masked_request_waits_until_it_is_unmasked() -> None:
    pic, intr = ready(mask=0xFF)
    pulse(pic, 1)
    assert not intr.level
    pic.write_port(MASTER + 1, 1, 0xFD)
    assert intr.level


def test_a_lower_input_waits_for_the_end_of_the_higher_one_and_a_higher_one_does_not() -> None:
    pic, intr = ready()
    pulse(pic, 3)
    pic.acknowledge()
    pulse(pic, 5)
    assert not intr.level
    pulse(pic, 1)
    assert intr.level
    assert pic.acknowledge() == 0x21
    pic.write_port(MASTER, 1, 0x20)  # ends input 1
    assert not intr.level
    pic.write_port(MASTER, 1, 0x20)  # ends input 3
    assert pic.acknowledge() == 0x25


def test_the_second_chips_interrupt_must_be_ended_at_both() -> None:
    pic, intr = ready()
    pulse(pic, 10)
    pic.acknowledge()
    pulse(pic, 11)
    pic.write_port(SLAVE, 1, 0x20)
    assert not intr.level  # the first chip still serves its input 2
    pic.write_port(MASTER, 1, 0x20)
    assert intr.level
    assert pic.acknowledge() == 0x2B


def test_automatic_end_leaves_nothing_in_service() -> None:
    pic, _ = ready(icw4=3)
    pulse(pic, 6)
    pic.acknowledge()
    pic.write_port(MASTER, 1, 0x0B)
    assert pic.read_port(MASTER, 1) == 0


def test_specific_end_rotates_priority() -> None:
    pic, _ = ready()
    pulse(pic, 2 + 1)
    pic.acknowledge()
    pic.write_port(MASTER, 1, 0xE0 | 3)  # rotate on specific EOI: input 3 becomes the lowest
    pulse(pic, 3)
    pulse(pic, 4)
    assert pic.acknowledge() == 0x24


def test_poll_acknowledges_and_names_the_input() -> None:
    pic, intr = ready()
    pulse(pic, 5)
    pic.write_port(MASTER, 1, 0x0C)
    assert pic.read_port(MASTER, 1) == 0x85
    assert not intr.level


def test_a_line_that_does_not_exist_is_refused() -> None:
    pic, _ = ready()
    with pytest.raises(ValueError, match="2"):
        pic.line(2)


class Reference:
    """One 8259A by its data sheet: arrays of bits and a list of inputs by priority; no cascade, no special modes."""

    def __init__(self) -> None:
        self.irr, self.isr, self.imr, self.high = [False] * 8, [False] * 8, [False] * 8, [False] * 8
        self.order = list(range(8))

    def winner(self) -> int | None:
        for irq in self.order:
            if self.isr[irq]:
                return None
            if self.irr[irq] and not self.imr[irq]:
                return irq
        return None

    def level(self, irq: int, high: bool) -> None:
        if high and not self.high[irq]:
            self.irr[irq] = True
        if not high:
            self.irr[irq] = False
        self.high[irq] = high

    def acknowledge(self) -> int:
        irq = self.winner()
        if irq is None:
            return 7
        self.irr[irq], self.isr[irq] = False, True
        return irq

    def end(self, irq: int | None, rotate: bool) -> None:
        if irq is None:
            irq = next((each for each in self.order if self.isr[each]), None)
        if irq is None:
            return
        self.isr[irq] = False
        if rotate:
            at = self.order.index(irq) + 1
            self.order = self.order[at:] + self.order[:at]


_inputs = st.sampled_from([0, 1, 3, 4, 5, 6, 7])
_actions = st.one_of(
    st.tuples(st.just("level"), _inputs, st.booleans()),
    st.tuples(st.just("acknowledge")),
    st.tuples(st.just("mask"), st.integers(0, 255)),
    st.tuples(st.just("end"), st.booleans()),
    st.tuples(st.just("end specific"), _inputs, st.booleans()),
    st.tuples(st.just("lowest"), _inputs),
)


@given(st.lists(_actions, max_size=60))
def test_any_sequence_agrees_with_the_reference(actions: list[tuple[object, ...]]) -> None:
    pic, intr = ready()
    reference = Reference()
    for action in actions:
        match action:
            case "level", int(irq), bool(high):
                pic.line(irq)(high)
                reference.level(irq, high)
            case ("acknowledge",):
                assert pic.acknowledge() == 0x20 + reference.acknowledge()
            case "mask", int(bits):
                pic.write_port(MASTER + 1, 1, bits)
                reference.imr = [bool(bits >> n & 1) for n in range(8)]
            case "end", bool(rotate):
                pic.write_port(MASTER, 1, 0xA0 if rotate else 0x20)
                reference.end(None, rotate)
            case "end specific", int(irq), bool(rotate):
                pic.write_port(MASTER, 1, (0xE0 if rotate else 0x60) | irq)
                reference.end(irq, rotate)
            case "lowest", int(irq):
                pic.write_port(MASTER, 1, 0xC0 | irq)
                at = reference.order.index(irq) + 1
                reference.order = reference.order[at:] + reference.order[:at]
        assert intr.level is (reference.winner() is not None)
        for command, bits in ((0x0A, reference.irr), (0x0B, reference.isr)):
            pic.write_port(MASTER, 1, command)
            assert pic.read_port(MASTER, 1) == sum(bit << n for n, bit in enumerate(bits))
