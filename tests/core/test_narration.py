"""The one sentence that says what just happened."""

from __future__ import annotations

from core.events import Cause
from core.guests.assembler import assemble
from core.narration import of_trap
from core.session import Session


def test_an_interrupt_comes_before_an_instruction_and_is_no_place_of_it() -> None:
    session = Session()
    session.load(assemble("cli", "guest.s"), "trap_emulate")
    session.step()
    trap = session.traps.last
    assert trap is not None
    interrupt = trap._replace(cause=Cause.INTERRUPT, outcome="delivered interrupt 0x20")
    assert of_trap(interrupt).startswith(
        "Before CLI, in guest ring 0, really ring 1, a device interrupted: the monitor delivered interrupt 0x20; "
    )


def test_a_halt_on_a_bare_machine_is_told_without_stammering() -> None:
    session = Session()
    session.load(assemble("hlt", "guest.s"), "bare")
    session.step()
    trap = session.traps.last
    assert trap is not None
    assert of_trap(trap).startswith("HLT in ring 0: halt, and the CPU stopped until the next interrupt; the guest ")


def test_a_vm_that_is_looked_at_is_told_with_its_own_place() -> None:
    session = Session()
    session.load(assemble("nop\nnop\nhlt", "first.s"), "trap_emulate")
    session.step()
    session.vms.add(assemble("nop\nhlt", "second.s"), "hardware")
    session.select("A")
    assert session.sentence == "VM A is looked at: first under trap-and-emulate, at 0x00100001 in ring 1."
    session.select("B")
    assert session.sentence == "VM B is looked at: second under hardware-assisted (AMD-V), at 0x00100000 in ring 0."
