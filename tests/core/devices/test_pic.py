"""The interrupt controller, case by case, by the data sheet."""

from __future__ import annotations

import pytest

from core.devices.pic import Pic

MASTER, SLAVE = 0x20, 0xA0


class Intr:
    """The CPU's INTR input; `rises` counts its edges."""

    def __init__(self) -> None:
        self.level = False
        self.rises = 0

    def __call__(self, level: bool) -> None:
        assert level != self.level, "told only of changes"
        self.level = level
        self.rises += level


def ready(icw4: int = 1, mask: int = 0, slave_icw4: int | None = None) -> tuple[Pic, Intr]:
    """Both chips initialised as every PC's, vectors 0x20 and 0x28."""
    intr = Intr()
    pic = Pic(intr)
    second = icw4 if slave_icw4 is None else slave_icw4
    for port, base, wiring, mode in ((MASTER, 0x20, 4, icw4), (SLAVE, 0x28, 2, second)):
        pic.write_port(port, 1, 0x11)
        for word in (base, wiring, mode, mask):
            pic.write_port(port + 1, 1, word)
    return pic, intr


def pulse(pic: Pic, irq: int) -> None:
    pic.line(irq)(False)
    pic.line(irq)(True)


def in_service(pic: Pic, port: int = MASTER) -> int:
    pic.write_port(port, 1, 0x0B)
    return pic.read_port(port, 1)


def requests(pic: Pic, port: int = MASTER) -> int:
    pic.write_port(port, 1, 0x0A)
    return pic.read_port(port, 1)


# -- requests


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
    assert pic.interrupt_pending
    assert pic.acknowledge() == 0x20 + irq
    assert not intr.level
    assert not pic.interrupt_pending


def test_a_line_that_stays_high_is_one_request() -> None:
    pic, intr = ready()
    pic.line(4)(True)
    pic.acknowledge()
    pic.write_port(MASTER, 1, 0x20)
    pic.line(4)(True)
    assert not intr.level


def test_of_two_requests_the_second_raises_intr_anew() -> None:
    pic, intr = ready(icw4=3)
    pulse(pic, 3)
    pulse(pic, 5)
    assert intr.rises == 1
    assert [pic.acknowledge(), pic.acknowledge()] == [0x23, 0x25]
    assert intr.rises == 2


def test_a_masked_request_waits_until_it_is_unmasked() -> None:
    pic, intr = ready(mask=0xFF)
    pulse(pic, 1)
    assert not intr.level
    pic.write_port(MASTER + 1, 1, 0xFD)
    assert intr.level


def test_a_line_that_does_not_exist_is_refused() -> None:
    pic, _ = ready()
    for irq in (2, -1, 16):
        with pytest.raises(ValueError, match=str(irq)):
            pic.line(irq)


# -- spurious interrupts


def test_a_request_withdrawn_before_the_acknowledge_gives_the_spurious_vector() -> None:
    pic, intr = ready()
    pulse(pic, 3)
    pic.line(3)(False)
    assert not intr.level
    assert pic.acknowledge() == 0x27
    assert in_service(pic) == 0


def test_a_request_that_goes_after_the_first_chip_has_passed_it_on_gives_the_second_chips_spurious_vector() -> None:
    pic, _ = ready()
    pulse(pic, 9)
    pic.state.slave.requests = 0  # the line falls between the two acknowledge cycles, which here are one
    assert pic.acknowledge() == 0x2F
    assert in_service(pic, SLAVE) == 0
    assert in_service(pic, MASTER) == 4  # so the guest must end it here, and only here


# -- priority and end of interrupt


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


def test_a_specific_end_ends_that_input_and_no_other() -> None:
    pic, _ = ready()
    pulse(pic, 5)
    pic.acknowledge()
    pulse(pic, 3)
    pic.acknowledge()
    pic.write_port(MASTER, 1, 0x60 | 5)
    assert in_service(pic) == 1 << 3


def test_automatic_end_leaves_nothing_in_service() -> None:
    pic, _ = ready(icw4=3)
    pulse(pic, 6)
    pic.acknowledge()
    assert in_service(pic) == 0


def test_rotation_on_a_specific_end_makes_that_input_the_lowest() -> None:
    pic, _ = ready()
    pulse(pic, 3)
    pic.acknowledge()
    pic.write_port(MASTER, 1, 0xE0 | 3)
    pulse(pic, 3)
    pulse(pic, 4)
    assert pic.acknowledge() == 0x24


def test_rotation_on_a_non_specific_end_makes_the_ended_input_the_lowest() -> None:
    pic, _ = ready()
    pulse(pic, 4)
    pic.acknowledge()
    pic.write_port(MASTER, 1, 0xA0)
    pulse(pic, 4)
    pulse(pic, 0)
    pulse(pic, 5)
    assert pic.acknowledge() == 0x25


def test_rotation_in_automatic_end_mode_takes_turns() -> None:
    pic, _ = ready(icw4=3)
    pic.write_port(MASTER, 1, 0x80)
    served = []
    for _ in range(4):
        pulse(pic, 0)
        pulse(pic, 1)
        served.append(pic.acknowledge() & 7)
    assert served == [0, 1, 0, 1]


def test_the_command_without_operation_leaves_rotation_as_it_is() -> None:
    pic, _ = ready(icw4=3)
    pic.write_port(MASTER, 1, 0x80)
    pic.write_port(MASTER, 1, 0x40)
    pulse(pic, 0)
    pic.acknowledge()
    pulse(pic, 0)
    pulse(pic, 1)
    assert pic.acknowledge() == 0x21


def test_set_priority_names_the_lowest() -> None:
    pic, _ = ready()
    pic.write_port(MASTER, 1, 0xC0 | 5)
    pulse(pic, 0)
    pulse(pic, 6)
    assert pic.acknowledge() == 0x26


# -- special mask mode


def test_special_mask_mode_lets_lower_inputs_through_a_masked_one_in_service() -> None:
    pic, intr = ready()
    pulse(pic, 3)
    pic.acknowledge()
    pic.write_port(MASTER + 1, 1, 1 << 3)
    pulse(pic, 6)
    assert not intr.level
    pic.write_port(MASTER, 1, 0x68)
    assert pic.acknowledge() == 0x26
    pic.write_port(MASTER, 1, 0x20)  # ends 6: it does not see the masked 3
    assert in_service(pic) == 1 << 3
    pic.write_port(MASTER, 1, 0x20)
    assert in_service(pic) == 1 << 3
    pic.write_port(MASTER, 1, 0x48)  # out of that mode
    pic.write_port(MASTER, 1, 0x20)
    assert in_service(pic) == 0


# -- two chips


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


def test_the_second_chip_ranks_between_inputs_1_and_3() -> None:
    pic, _ = ready(icw4=3)
    for irq in (3, 15, 1):
        pulse(pic, irq)
    assert [pic.acknowledge() for _ in range(3)] == [0x21, 0x2F, 0x23]


def test_requests_waiting_together_at_the_second_chip_are_all_served_with_automatic_end() -> None:
    pic, intr = ready(icw4=3)
    pulse(pic, 9)
    pulse(pic, 12)
    assert [pic.acknowledge(), pic.acknowledge()] == [0x29, 0x2C]
    assert not intr.level


def test_in_special_fully_nested_mode_the_second_chip_may_interrupt_itself_and_nobody_lower_may() -> None:
    pic, intr = ready(icw4=0x11, slave_icw4=1)
    pulse(pic, 12)
    pic.acknowledge()
    pulse(pic, 3)
    assert not intr.level
    pulse(pic, 13)
    assert not intr.level
    pulse(pic, 9)
    assert pic.acknowledge() == 0x29


def test_special_fully_nested_mode_means_nothing_to_the_second_chip() -> None:
    pic, intr = ready(icw4=1, slave_icw4=0x11)
    pulse(pic, 10)
    pic.acknowledge()
    pic.write_port(MASTER, 1, 0x20)
    pulse(pic, 10)
    assert not intr.level  # its own input 2 is in service still


# -- poll and status


def test_poll_acknowledges_and_names_the_input() -> None:
    pic, intr = ready()
    pulse(pic, 5)
    pic.write_port(MASTER, 1, 0x0C)
    assert pic.read_port(MASTER, 1) == 0x85
    assert not intr.level
    assert in_service(pic) == 1 << 5


def test_poll_without_a_request_says_so() -> None:
    pic, _ = ready()
    pic.write_port(MASTER, 1, 0x0C)
    assert pic.read_port(MASTER, 1) == 0


def test_both_chips_can_be_polled() -> None:
    pic, intr = ready()
    pulse(pic, 14)
    for port, answer in ((MASTER, 0x82), (SLAVE, 0x86)):
        pic.write_port(port, 1, 0x0C)
        assert pic.read_port(port, 1) == answer
    assert not intr.level


def test_requests_services_and_masks_can_be_read() -> None:
    pic, _ = ready(mask=0x40)
    pulse(pic, 4)
    pic.acknowledge()
    pulse(pic, 6)
    assert (requests(pic), in_service(pic), pic.read_port(MASTER + 1, 1)) == (0x40, 0x10, 0x40)


# -- initialisation


def test_initialisation_forgets_everything_and_asks_for_a_fresh_edge() -> None:
    pic, intr = ready(icw4=3, mask=0xFF)
    pic.write_port(MASTER, 1, 0xC0 | 3)
    pic.line(1)(True)
    for port, word in ((MASTER, 0x11), (MASTER + 1, 0x40), (MASTER + 1, 4), (MASTER + 1, 1)):
        pic.write_port(port, 1, word)
    assert pic.read_port(MASTER + 1, 1) == 0
    assert (requests(pic), intr.level) == (0, False)
    pulse(pic, 1)
    pulse(pic, 0)
    assert pic.acknowledge() == 0x40
    assert in_service(pic) == 1


def test_without_icw4_its_modes_are_off_and_the_next_word_is_the_mask() -> None:
    pic, _ = ready(icw4=3)
    for port, word in ((MASTER, 0x10), (MASTER + 1, 0x20), (MASTER + 1, 4), (MASTER + 1, 0xFE)):
        pic.write_port(port, 1, word)
    assert pic.read_port(MASTER + 1, 1) == 0xFE
    pulse(pic, 0)
    pic.acknowledge()
    assert in_service(pic) == 1


def test_a_single_chip_expects_no_wiring_word() -> None:
    pic, _ = ready()
    for port, word in ((MASTER, 0x13), (MASTER + 1, 0x20), (MASTER + 1, 1), (MASTER + 1, 0xFE)):
        pic.write_port(port, 1, word)
    assert pic.read_port(MASTER + 1, 1) == 0xFE


def test_the_data_port_is_described_by_the_word_that_it_expects() -> None:
    pic, _ = ready()
    assert pic.describe(MASTER + 1, write=True) == "OCW1: interrupt mask of the first chip"
    pic.write_port(SLAVE, 1, 0x11)
    said = []
    for word in (0x28, 2, 1):
        said.append(pic.describe(SLAVE + 1, write=True).partition(":")[0])
        pic.write_port(SLAVE + 1, 1, word)
    assert said == ["ICW2", "ICW3", "ICW4"]
    pic.write_port(SLAVE, 1, 0x0B)
    assert pic.describe(SLAVE) == "in-service register (ISR) of the second chip"
