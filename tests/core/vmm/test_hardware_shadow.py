"""AMD-V with shadow tables: what the guest could use to put the shadow aside is kept from the CPU."""

from __future__ import annotations

from typing import cast

from core.cpu.context import Seg
from core.events import EndHow
from core.guests.assembler import assemble
from core.session import Session
from core.vmm.hardware_shadow import FENCE, HardwareShadow
from core.vmm.intercepts import Exit

# Two tasks that share one directory, which maps the first 4 MiB and, at the fence, the page at 0x200000.
TASKS = """
.globl _start
_start: mov dword ptr [0x300000], 0x83
        mov dword ptr [0x300ffc], 0x301007
        mov dword ptr [0x301080], 0x200007
        mov eax, 0x10
        mov cr4, eax
        mov eax, 0x300000
        mov cr3, eax
        mov eax, 0x80000011
        mov cr0, eax
        lgdt [table]
        mov esi, offset second_task
        mov edi, 0x31101c
        mov ecx, 18
        rep movsd
        mov dword ptr [0x31001c], 0x300000
        mov ax, 0x18
        ltr ax
        mov dword ptr [0xffc20200], 0x5a5a
        mov ebx, [0xffc20200]
        .byte 0x9a, 0, 0, 0, 0, 0x20, 0
        mov al, [switched]
        out 0xf4, al
second: mov byte ptr [switched], 7
        iretd
switched: .byte 1
        .align 8
gdt:    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
        .quad 0x0000893100000067, 0x0000893110000067
table:  .word 39
        .long gdt
        # from CR3 on: EIP, EFLAGS, EAX to EDI, ES to GS, LDT
second_task: .long 0x300000, second, 2, 0, 0, 0, 0, 0x280000, 0, 0, 0, 0x10, 8, 0x10, 0x10, 0x10, 0x10, 0
"""


def loaded() -> tuple[Session, HardwareShadow]:
    session = Session()
    session.load(assemble(TASKS, "tasks.s"), "hardware_shadow")
    return session, cast(HardwareShadow, session.vmm)


def test_a_task_switch_exits_before_it_changes_anything_and_is_done_in_the_cpus_place() -> None:
    session, vmm = loaded()
    session.run()
    assert session.end is not None
    assert session.end.status == 7
    switches = [trap for trap in session.traps.recent() if "switched to the task" in trap.outcome]
    assert [trap.handler for trap in switches] == ["hypervisor: #PF page fault"] * 2
    assert vmm.cpu.state.cr[3] == vmm.pager.root


def test_the_guest_believes_in_its_tss_while_the_cpu_holds_the_fence() -> None:
    session, vmm = loaded()
    while session.vmm.guest.segment(Seg.TR).selector != 0x18:
        session.step()
    believed = session.vmm.guest.segment(Seg.TR)
    assert (believed.base, believed.limit) == (0x310000, 0x67)
    assert vmm.cpu.state.segs[Seg.TR].base == FENCE


def test_what_the_guest_itself_has_at_the_fences_address_it_reads_and_writes() -> None:
    session, _vmm = loaded()
    session.run()
    assert session.peek(0xFFC20200, 4) == (0x5A5A).to_bytes(4, "little")


def test_without_the_intercept_of_ltr_a_task_switch_is_noticed_at_the_next_exit() -> None:
    session, vmm = loaded()
    vmm.set_intercept(Exit.TR_WRITE, on=False)
    session.run()
    assert session.end is not None
    assert session.end.how is EndHow.ERROR
    assert "without the intercepts of CR3 and TR writes" in session.end.sentence
