"""Every intercept offered switches what the CPU does; those that do nothing say why."""

from __future__ import annotations

from typing import cast

import pytest

from core.errors import RequestError
from core.events import Cause
from core.guests.assembler import assemble
from core.session import Session
from core.vmm.hardware import Hardware
from core.vmm.intercepts import INTERCEPT, INTERCEPTS, Exit, Intercept, exit_name
from tests.core.vmm.intercept_causes import CAUSES

SESSION = Session(recording=False)
OFFERED = [each for each in INTERCEPTS if not each.inert and not each.required]
NEVER_HAPPEN = {"NMI", "SMI", "INIT", "FERR_FREEZE", "#MC machine check"}  # NMI is an exception and an intercept
INERT = [each for each in INTERCEPTS if each.inert and each.name not in NEVER_HAPPEN]


# every vector leads to a HLT at 0x100002, behind the first jump
FRAME = """
.globl _start
_start: jmp begin
        hlt
begin:  lidt [idtr]
{cause}
        nop
        hlt
        .align 8
idt:    .rept 64
        .quad 0x00108e0000080002
        .endr
idtr:   .word 64 * 8 - 1
        .long idt
"""


def load(intercept: Intercept) -> Hardware:
    SESSION.load(assemble(FRAME.format(cause=CAUSES[intercept.name]), "cause.s"), "hardware")
    return cast(Hardware, SESSION.vmm)


def exits(name: str) -> bool:
    SESSION.run(1000)
    handlers = {trap.handler.split(",")[0] for trap in SESSION.traps.recent() if trap.cause is Cause.EXIT}
    return f"hypervisor: {name}" in handlers or (name == "IOIO" and any("virtual" in each for each in handlers))


@pytest.mark.parametrize("intercept", OFFERED, ids=[each.name for each in OFFERED])
def test_the_bit_decides_whether_the_guest_leaves(intercept: Intercept) -> None:
    load(intercept).set_intercept(intercept.code, on=True)
    assert exits(intercept.name)
    load(intercept).set_intercept(intercept.code, on=False)
    assert not exits(intercept.name)


def test_without_the_intercept_of_vmrun_there_is_no_entry() -> None:
    load(INTERCEPT[Exit.CPUID]).set_intercept(Exit.VMRUN, on=False)
    with pytest.raises(RequestError, match="VMRUN must be intercepted"):
        SESSION.step()


@pytest.mark.parametrize("intercept", INERT, ids=[each.name for each in INERT])
def test_the_cpu_does_not_honour_what_is_said_to_be_inert(intercept: Intercept) -> None:
    vmm = load(intercept)
    with pytest.raises(RequestError) as refused:
        vmm.set_intercept(intercept.code, on=True)
    assert refused.value.mend == intercept.inert
    vmm.set_field(intercept.field, vmm.vmcb.get(intercept.field) | 1 << intercept.bit)
    assert not exits(intercept.name)


def test_what_is_inert_and_not_tried_is_what_nothing_in_the_lab_causes() -> None:
    assert {each.name for each in INTERCEPTS if each.inert == "Nothing in the lab causes this event."} == NEVER_HAPPEN


def test_exits_are_called_by_their_names() -> None:
    assert (exit_name(0x72), exit_name(0x400), exit_name(0x4E)) == ("CPUID", "nested page fault", "#PF page fault")
