"""The registers of the machine as people see them: what the guest believes beside what the CPU holds."""

from __future__ import annotations

from core.cpu import flags
from core.cpu.context import Gpr, Seg
from core.cpu.guest_cpu import GuestCpu, Segment
from core.snapshot import Register, RegisterGroup

_GENERAL_MEANINGS = {
    Gpr.EAX: "Accumulator; also carries results and system-call numbers.",
    Gpr.ECX: "Counter of loops and string instructions.",
    Gpr.EDX: "Data; the high half of products and of port numbers' partners.",
    Gpr.EBX: "Base of addresses; free for any use.",
    Gpr.ESP: "Stack pointer: the top of the stack, which grows downwards.",
    Gpr.EBP: "Frame pointer of the present function, by custom.",
    Gpr.ESI: "Source of string instructions.",
    Gpr.EDI: "Destination of string instructions.",
}
_SEGMENT_MEANINGS = {
    Seg.CS: "Code segment; its two lowest bits are the current privilege level.",
    Seg.SS: "Stack segment; its privilege must equal the ring.",
    Seg.DS: "Data segment used by default.",
    Seg.ES: "Data segment that string instructions write to.",
    Seg.FS: "Extra data segment.",
    Seg.GS: "Extra data segment.",
}
_ORDER = (Gpr.EAX, Gpr.EBX, Gpr.ECX, Gpr.EDX, Gpr.ESI, Gpr.EDI, Gpr.EBP, Gpr.ESP)


def _spell_segment(segment: Segment) -> str:
    if not segment.flags:
        return "null"
    kind = "code" if segment.flags & 1 << 11 else "data"
    return f"{kind} DPL={segment.dpl} base={segment.base:#x} limit={segment.limit:#x}"


def read_registers(believed: GuestCpu, real: GuestCpu) -> tuple[Register, ...]:
    """All of them, in a fixed order: first where the CPU is and what it may do, since belief and truth part there.

    `real` is the plain view of the same CPU.
    """
    rows: list[Register] = []

    def row(
        name: str,
        group: RegisterGroup,
        bits: int,
        values: tuple[int, int],
        meaning: str,
        details: tuple[str, str] = ("", ""),
    ) -> None:
        rows.append(Register(name, group, bits, values[0], values[1], meaning, details[0], details[1]))

    control = RegisterGroup.CONTROL
    row("EIP", control, 32, (believed.eip, real.eip), "Instruction pointer: offset of the next instruction in CS.")
    both = believed.eflags, real.eflags
    row(
        "EFLAGS", control, 32, both, "Flags of the last result, and IF, IOPL and others that rule the CPU.",
        (flags.spell_eflags(both[0]), flags.spell_eflags(both[1])),
    )  # fmt: skip
    row(
        "IF", control, 1, (both[0] >> 9 & 1, both[1] >> 9 & 1),
        "Interrupt flag: 1 lets interrupts in. CLI clears it, STI sets it.",
    )  # fmt: skip
    row("CPL", control, 2, (believed.cpl, real.cpl), "Current privilege level: the ring.")

    for gpr in _ORDER:
        row(gpr.name, RegisterGroup.GENERAL, 32, (believed.reg(gpr), real.reg(gpr)), _GENERAL_MEANINGS[gpr])

    for seg in (Seg.CS, Seg.SS, Seg.DS, Seg.ES, Seg.FS, Seg.GS):
        pair = believed.segment(seg), real.segment(seg)
        row(
            seg.name, RegisterGroup.SEGMENTS, 16, (pair[0].selector & 0xFFFF, pair[1].selector & 0xFFFF),
            _SEGMENT_MEANINGS[seg], (_spell_segment(pair[0]), _spell_segment(pair[1])),
        )  # fmt: skip

    system = RegisterGroup.SYSTEM
    cr = {number: (believed.cr(number), real.cr(number)) for number in (0, 2, 3, 4)}
    row(
        "CR0", system, 32, cr[0], "Switches of the CPU: protection, paging, write protection, the FPU.",
        (flags.spell_cr0(cr[0][0]), flags.spell_cr0(cr[0][1])),
    )  # fmt: skip
    row("CR2", system, 32, cr[2], "Linear address of the last page fault.")
    row("CR3", system, 32, cr[3], "Physical address of the page directory.")
    row(
        "CR4", system, 32, cr[4], "Switches of newer features.",
        (flags.spell_cr4(cr[4][0]), flags.spell_cr4(cr[4][1])),
    )  # fmt: skip
    for name, tables, meaning in (
        ("GDTR", (believed.gdtr, real.gdtr), "Where the global descriptor table stands: the segments."),
        (
            "IDTR",
            (believed.idtr, real.idtr),
            "Where the interrupt descriptor table stands: the handlers. Under a monitor the CPU's own stays empty, "
            "since the lab takes every exception before the CPU would look here.",
        ),
    ):
        details = f"limit={tables[0].limit:#x}", f"limit={tables[1].limit:#x}"
        row(name, system, 32, (tables[0].base, tables[1].base), meaning, details)
    for name, seg, meaning in (
        ("LDTR", Seg.LDTR, "Selector of the local descriptor table."),
        ("TR", Seg.TR, "Selector of the task-state segment, which names the inner rings' stacks."),
    ):
        pair = believed.segment(seg), real.segment(seg)
        details = f"base={pair[0].base:#x}", f"base={pair[1].base:#x}"
        row(name, system, 16, (pair[0].selector & 0xFFFF, pair[1].selector & 0xFFFF), meaning, details)
    return tuple(rows)
