"""AMD-V: guests that really run in guest mode, and what the VMCB holds when they leave it."""

from __future__ import annotations

from typing import cast

import pytest

from core.cpu.guest_mode import in_guest_mode
from core.errors import RequestError
from core.events import Cause, EndHow, Ring, Trap
from core.guests.assembler import assemble
from core.guests.catalog import load_program
from core.session import Session
from core.timeline.timeline import Recording
from core.vmm.hardware import Hardware
from core.vmm.intercepts import INTERCEPT, Exit

END = "\nmov al, 0\nout 0xf4, al\n"


def on(text: str) -> Session:
    session = Session()
    session.load(assemble(f".globl _start\n_start:\n{text}", "guest.s"), "hardware")
    return session


def vmm_of(session: Session) -> Hardware:
    return cast(Hardware, session.vmm)


def field(session: Session, name: str) -> int:
    return vmm_of(session).vmcb.get(name)


def exits(session: Session) -> list[Trap]:
    return [trap for trap in session.traps.recent() if trap.cause is Cause.EXIT]


def test_the_guest_runs_in_guest_mode_with_its_kernel_in_ring_0() -> None:
    session = on("nop\nnop\nhlt")
    session.step()
    state = session.machine.cpu.state
    assert in_guest_mode(session.machine.cpu)
    assert state.vm_vmcb == vmm_of(session).vmcb.address
    assert (session.ring, session.believed_ring) == (Ring.KERNEL, Ring.KERNEL)


def test_vmrun_counts_no_instruction_and_leaves_no_trace_in_the_program_counters() -> None:
    session = on("nop\nnop\nnop")
    start = session.pc
    session.step(2)
    assert session.executed == 2
    assert session.machine.backing.probes.ring[:2].tolist() == [start, start + 1]


def test_after_an_exit_the_vmcb_holds_what_hardware_stores() -> None:
    session = on("mov eax, 1\nmov esp, 0x7000\nstc\ncpuid\nnop")
    start = session.pc
    session.step(4)
    trap = exits(session)[-1]
    cpuid_at = start + 11
    assert (trap.handler, trap.ring_to, trap.pc) == ("hypervisor: CPUID", Ring.HOST, cpuid_at)
    assert (field(session, "EXITCODE"), field(session, "RIP")) == (Exit.CPUID, cpuid_at)
    assert (field(session, "NRIP"), field(session, "RAX"), field(session, "RSP")) == (cpuid_at + 2, 1, 0x7000)
    assert field(session, "RFLAGS") & 1
    assert (field(session, "CS.selector"), field(session, "CS.attrib")) == (8, 0xC9B)
    assert (field(session, "CPL"), field(session, "CR0")) == (0, 0x11)
    assert session.pc == cpuid_at + 2


def test_the_first_touch_of_memory_is_a_nested_page_fault_that_the_guest_does_not_count() -> None:
    session = on("mov ebx, [0x500000]\nnop")
    session.step()
    first, second = exits(session)
    assert first.handler == second.handler == "hypervisor: nested page fault"
    assert (session.executed, field(session, "EXITCODE")) == (1, Exit.NPF)
    assert field(session, "EXITINFO2") == 0x500000
    assert field(session, "EXITINFO1") == 1 << 32 | 1 << 2  # a read by the guest (nested accesses are a user's)
    session.step()
    assert len(exits(session)) == 2


def test_an_out_exits_with_port_width_and_direction() -> None:
    session = on("mov al, 7\nout 0x61, al\nmov dx, 0x3f8\nin eax, dx")
    session.step(2)
    assert field(session, "EXITCODE") == Exit.IOIO
    assert field(session, "EXITINFO1") == 0x61 << 16 | 1 << 8 | 1 << 4
    assert field(session, "EXITINFO2") == session.pc
    session.step(2)
    assert field(session, "EXITINFO1") == 0x3F8 << 16 | 1 << 8 | 4 << 4 | 1


def test_without_the_io_intercept_the_guest_reaches_its_device_without_an_exit() -> None:
    session = on("mov al, 'a'\nmov dx, 0x3f8\nout dx, al\nout dx, al\n" + END)
    session.step(3)
    vmm_of(session).set_intercept(Exit.IOIO, on=False)
    session.step()
    last = session.traps.recent()[-1]
    assert (last.cause, last.ring_to) == (Cause.IO, Ring.KERNEL)
    assert session.console == b"aa"


def test_an_instruction_of_amd_v_is_unknown_to_the_guest() -> None:
    session = on("mov eax, 0x1000\nvmrun eax")
    session.step(2)
    assert session.end is not None  # no IDT: the #UD becomes a triple fault
    assert session.end.how is EndHow.ERROR
    assert "#UD" in session.end.sentence
    assert field(session, "EXITCODE") == Exit.SHUTDOWN


def test_a_vmcb_edited_into_nonsense_is_refused_with_the_rule_and_can_be_mended() -> None:
    session = on("nop\nnop\nnop")
    session.step()
    vmm_of(session).set_field("ASID", 0)
    with pytest.raises(RequestError, match="ASID 0 is the host's"):
        session.step()
    assert field(session, "EXITCODE") == Exit.INVALID
    vmm_of(session).set_field("ASID", 1)
    before = session.pc
    session.step()
    assert session.pc == before + 1


def test_a_register_edited_in_the_vmcb_is_what_the_guest_goes_on_with() -> None:
    session = on("mov eax, 5\nnop\nnop\nnop")
    session.step()
    vmm_of(session).set_field("RAX", 0x1234)
    session.step()
    assert session.machine.cpu.state.regs[0] == 0x1234


def test_the_time_stamp_counter_is_offset_by_the_vmcb() -> None:
    session = on("rdtsc\nrdtsc")
    vmm_of(session).set_field("TSC_OFFSET", 1000)
    session.step()
    assert session.machine.cpu.state.regs[0] == 1001


def test_real_vmruns_between_any_two_slices_change_nothing() -> None:
    """The CPU may stay in guest mode while an exit is handled; that is only a saving."""
    ends = []
    for real in (False, True):
        session = Session(recording=False)
        session.load(load_program("rings"), "hardware")
        while session.end is None:
            session.run(97)
            if real:
                vmm_of(session).set_field("V_IRQ_CTL", field(session, "V_IRQ_CTL"))
        ends.append((session.end, session.executed, session.time, session.console))
        session.close()
    assert ends[0] == ends[1]


def test_every_exit_code_has_one_intercept_of_its_own() -> None:
    assert len({(each.field, each.bit) for each in INTERCEPT.values()}) == len(INTERCEPT)


def test_a_flipped_intercept_is_part_of_history() -> None:
    session = Session(history=Recording())
    session.load(assemble(".globl _start\n_start: mov eax, 1\ncpuid\ncpuid\ncpuid\nnop", "guest.s"), "hardware")
    session.step(2)
    session.inputs.set_intercept(Exit.CPUID, on=False)
    session.step(2)
    assert sum(trap.handler == "hypervisor: CPUID" for trap in exits(session)) == 1
    for _ in range(3):
        session.travel.step_back()
    assert vmm_of(session).intercepts(Exit.CPUID)
    session.step(3)
    assert not vmm_of(session).intercepts(Exit.CPUID)
    assert sum(trap.handler == "hypervisor: CPUID" for trap in exits(session)) == 1


def test_a_single_step_that_exits_keeps_the_flags_of_the_instruction_before() -> None:
    step = "pushfd\nor dword ptr [esp], 0x100\nmov edx, -1\nmov esi, 2\npopfd\nadd edx, esi\nnop"
    gates = "idt: .rept 64\n.quad 0x00108e0000080002\n.endr\nidtr: .word 511\n.long idt"
    seen = []
    for kind in ("bare", "hardware"):
        session = Session(recording=False)
        text = f".globl _start\n_start: jmp begin\nhlt\nbegin: lidt [idtr]\n{step}\nhlt\n.align 8\n{gates}"
        session.load(assemble(text, "step.s"), kind)
        if kind == "hardware":
            vmm_of(session).set_intercept(Exit.EXCEPTION_0 + 1, on=True)
        session.run()
        seen.append(session.peek(session.vmm.guest.reg(4), 12))
    assert seen[0] == seen[1]


def test_a_kind_without_a_control_block_says_so() -> None:
    session = Session()
    session.load(load_program("hello"), "bare")
    with pytest.raises(RequestError, match="it has no VMCB"):
        session.inputs.set_intercept(Exit.CPUID, on=False)


@pytest.mark.parametrize("operation", ["add", "sub", "adc", "sbb", "and", "imul"])
@pytest.mark.parametrize("exiting", ["wbinvd", "str ax", "pause"])
def test_an_exit_keeps_the_flags_that_the_instruction_before_has_set(operation: str, exiting: str) -> None:
    text = f"mov edx, -1\nmov esi, 2\nstc\n{operation} edx, esi\n{exiting}\nnop\npushfd\nhlt"
    seen = []
    for kind in ("bare", "hardware"):
        session = Session(recording=False)
        session.load(assemble(f".globl _start\n_start: {text}", "flags.s"), kind)
        if kind == "hardware":
            for code in (0x69, 0x77, 0x89):  # STR, PAUSE, WBINVD
                vmm_of(session).set_intercept(code, on=True)
        session.run()
        seen.append(session.peek(session.vmm.guest.reg(4), 4))
    assert seen[0] == seen[1]


STEPPED = """
.globl _start
_start: jmp begin
handler: push eax
        mov eax, [esp + 4]
        mov edi, [place]
        mov [edi], eax
        add dword ptr [place], 4
        pop eax
        iretd
begin:  mov eax, offset handler
        mov [idt + 8], ax
        lidt [idtr]
        mov ecx, 0xc0000080
        pushfd
        or dword ptr [esp], 0x100
        popfd
        {instruction}
        nop
        mov dword ptr [esp], 2
        popfd
        mov al, 0
        out 0xf4, al
        .align 8
idt:    .quad 0, 0x00108e0000080000
idtr:   .word 15
        .long idt
place:  .long 0x300000
"""


@pytest.mark.parametrize("kind", ["hardware", "hardware_shadow"])
@pytest.mark.parametrize("instruction", ["cpuid", "rdmsr", "mov eax, cr0", "xor eax, eax\nltr ax", "in al, 0x61"])
def test_an_instruction_carried_out_by_the_hypervisor_is_a_single_step_for_the_guest(
    kind: str, instruction: str
) -> None:
    program = assemble(STEPPED.format(instruction=instruction), "stepped.s")
    seen = []
    for each in ("bare", kind):
        session = Session(recording=False)
        session.load(program, each)
        session.run(1000)
        seen.append((session.end, session.executed, session.peek(0x300000, 32)))
    assert seen[0] == seen[1]
    assert any(seen[0][2])


COUNTING = """
        jmp begin
handler: inc dword ptr [count]
        iretd
begin:  mov eax, offset handler
        mov [idt + 8 * 0x30], ax
        mov [idt + 8 * 6], ax
        shr eax, 16
        mov [idt + 8 * 0x30 + 6], ax
        mov [idt + 8 * 6 + 6], ax
        lidt [idtr]
raise:  nop
        nop
        ud2
        nop
        nop
        nop
        nop
        .align 8
idt:    .rept 64
        .quad 0x00108e0000080000
        .endr
idtr:   .word 511
        .long idt
count:  .long 0
"""


def counting() -> Session:
    """A guest that counts its #UD and its interrupts 0x30, soon to raise #UD."""
    session = on(COUNTING)
    assert session.program is not None
    while session.pc != session.program.symbols["raise"]:
        session.step()
    return session


def counted(session: Session) -> int:
    assert session.program is not None
    return int.from_bytes(session.peek(session.program.symbols["count"], 4) or b"", "little")


def test_an_event_that_the_hypervisor_injected_is_not_injected_again_by_an_edit() -> None:
    session = counting()
    vmm_of(session).set_intercept(Exit.EXCEPTION_0 + 6, on=True)
    session.step(3)
    assert field(session, "EVENTINJ") >> 31 & 1  # it has served, and stays to be seen until the next exit
    vmm_of(session).set_field("TSC_OFFSET", 5)
    assert field(session, "EVENTINJ") == 0
    session.step(2)
    assert counted(session) == 1


@pytest.mark.parametrize("event", [0x30, 3 << 8 | 6, 4 << 8 | 0x30], ids=["interrupt", "exception", "software"])
def test_an_event_that_the_person_injects_is_delivered_once_whatever_is_edited_afterwards(event: int) -> None:
    session = counting()
    vmm_of(session).set_field("EVENTINJ", 1 << 31 | event)
    vmm_of(session).set_field("TSC_OFFSET", 5)
    session.step()
    vmm_of(session).set_field("TSC_OFFSET", 6)
    session.step(3)
    assert counted(session) == 1


def test_an_injected_exception_brings_its_error_code() -> None:
    session = counting()
    vmm_of(session).set_field("EVENTINJ", 0xABCD << 32 | 1 << 31 | 1 << 11 | 3 << 8 | 13)
    vmm_of(session).set_intercept(Exit.EXCEPTION_0 + 13, on=True)  # what is injected is not intercepted
    session.step()
    assert session.peek(session.vmm.guest.reg(4), 4) == (0xABCD).to_bytes(4, "little")
    assert not exits(session)[2:]


def test_an_injected_event_wakes_a_guest_that_waits() -> None:
    session = on(COUNTING.replace("raise:  nop", "raise: sti\nhlt"))
    session.run(100)
    vmm_of(session).set_field("EVENTINJ", 1 << 31 | 0x30)
    session.step(2)
    assert counted(session) == 1


def test_an_event_injected_without_a_gate_for_it_is_a_triple_fault() -> None:
    session = on("nop\nnop")
    vmm_of(session).set_field("EVENTINJ", 1 << 31 | 0x30)
    session.step()
    assert session.end is not None
    assert "#GP general protection, then #DF double fault" in session.end.sentence


def test_a_guest_that_goes_on_at_the_address_of_the_hosts_vmrun_misses_no_instruction() -> None:
    """The probes know an instruction by its linear address, which host and guest both have."""
    session = on(8 * "nop\n")
    stub = vmm_of(session)._stub
    for _ in range(7):
        before = session.pc
        vmm_of(session).set_field("TSC_OFFSET", 0)
        session.step()
        assert session.pc == before + 1
    assert session.program is not None
    assert session.program.entry == stub  # else this proves nothing


def test_the_registers_of_system_calls_are_the_guests_own_after_a_real_vmrun() -> None:
    numbers = range(0xC000_0081, 0xC000_0085)  # STAR to SFMASK; VMLOAD loads them at every VMRUN
    write = "".join(f"mov ecx, {number}\nmov eax, ecx\nxor edx, edx\nwrmsr\n" for number in numbers)
    read = "".join(f"mov ecx, {number}\nrdmsr\nmov [0x200000 + {4 * (number & 15)}], eax\n" for number in numbers)
    session = on(write + read + "again: jmp again")
    session.run(16)
    vmm_of(session).set_field("TSC_OFFSET", 0)  # the next entry is a VMRUN
    session.run(20)
    words = session.read_memory(0x20_0004, 16)
    assert [int.from_bytes(words[at : at + 4], "little") for at in range(0, 16, 4)] == list(numbers)
