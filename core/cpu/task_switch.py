"""Hardware task switches: the whole of the CPU's state saved in one TSS and loaded from another.

A far JMP or CALL to a TSS or task gate, an IRET with EFLAGS.NT set, and an interrupt through a task gate switch tasks
(Intel SDM vol. 3 §7.2–7.4; AMD APM vol. 2 §12.3). Order, checks and oddities are those of the emulated CPU, since on
bare it does this itself: in particular, what the new task's selectors are refused for is #TS or #NP with EIP still the
old one's; and in a 16-bit TSS it takes SS from where the LDT stands, so that a switch to one always ends in #TS. Tasks
in virtual-8086 mode stop loudly; the T bit and debug registers are left alone.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from core.cpu import flags
from core.cpu.context import Gpr, Seg
from core.cpu.descriptors import (
    LDT,
    TSS_AVAILABLE,
    TSS_AVAILABLE_16,
    TSS_BUSY,
    TSS_BUSY_16,
    TSS_BUSY_BIT,
    TYPE_CODE,
    TYPE_WRITABLE,
    Descriptor,
    fetch,
    selector_error,
)
from core.cpu.faults import GuestFault, Vector, general_protection
from core.cpu.guest_cpu import GuestCpu, Segment
from core.errors import UnknownDeparture
from core.memory.walk import LinearMemory

TASK_GATE = 0x5
TASKS = frozenset({TASK_GATE, TSS_AVAILABLE_16, TSS_AVAILABLE})  # what a far JMP or CALL switches tasks by
WIDE_TYPES = frozenset({TSS_AVAILABLE, TSS_BUSY})
BACK_LINK, CR3 = 0x00, 0x1C
LOADED = flags.TF | flags.AC | flags.ID | flags.IF | flags.IOPL | flags.VM | flags.RF | flags.NT
LOADED |= flags.ARITHMETIC | flags.DF
DATA_SEGMENTS = (Seg.ES, Seg.DS, Seg.FS, Seg.GS)


class Format(NamedTuple):
    """Where a TSS keeps what: offsets of words of `size` bytes. `segments` selectors (ES, CS, SS …) stand four bytes
    apart; `smallest` is the least limit, `read` how many bytes are looked at."""

    size: int
    eip: int
    eflags: int
    registers: int
    selectors: int
    segments: int
    ldt: int
    smallest: int
    read: int


WIDE = Format(4, 0x20, 0x24, 0x28, 0x48, 6, 0x60, 103, 104)
NARROW = Format(2, 0x0E, 0x10, 0x12, 0x22, 4, 0x2A, 43, 48)


def format_of(kind: int) -> Format:
    """The format of a TSS by its descriptor's type."""
    return WIDE if kind in WIDE_TYPES else NARROW


class TaskFault(GuestFault):
    """A fault of the new task's state: the switch has happened, nothing of it is undone."""


class Way(Enum):
    """By which a task switch comes."""

    JUMP = auto()
    CALL = auto()  # and interrupts through a task gate: the old task is to be returned to
    RETURN = auto()  # IRET with NT set


def may_switch(guest: GuestCpu, selector: int, found: Descriptor) -> None:
    """The privilege check of a far JMP or CALL to a TSS or task gate."""
    if found.dpl < guest.cpl or found.dpl < selector & 3:
        raise general_protection(selector_error(selector))


def back_link(guest: GuestCpu, memory: LinearMemory) -> tuple[int, Descriptor]:
    """The task that an IRET with NT set returns to."""
    selector = int.from_bytes(memory.read(guest.paging, guest.segment(Seg.TR).base + BACK_LINK, 2), "little")
    found = None if selector & 4 else fetch(guest, memory, selector)
    if found is None or found.is_segment or found.system_type not in (TSS_BUSY, TSS_BUSY_16):
        raise GuestFault(Vector.TS, selector_error(selector))
    return selector, found


def switch_task(guest: GuestCpu, memory: LinearMemory, selector: int, found: Descriptor, way: Way) -> str:
    """Switch to the task that `selector` names, by its TSS or a task gate `found`; EIP must be the one to come back to.
    What was done, a clause. Raises GuestFault with nothing changed, TaskFault in the new task."""
    if found.system_type == TASK_GATE:
        selector, found = _through_gate(guest, memory, selector, found)
    error = selector_error(selector)
    if not found.present:
        raise GuestFault(Vector.NP, error)
    tss = format_of(found.system_type)
    if selector & 4 or found.limit < tss.smallest:
        raise GuestFault(Vector.TS, error)
    image = memory.read(guest.paging, found.base, tss.read)
    if tss is WIDE and _word(image, tss.eflags) & flags.VM:
        raise UnknownDeparture("The guest switched to a task in virtual-8086 mode, not carried out here.")
    _save(guest, memory, tss, way)
    if way is Way.CALL:
        memory.write(guest.paging, found.base + BACK_LINK, guest.segment(Seg.TR).selector.to_bytes(2, "little"))
    if way is not Way.RETURN:
        found = _set_busy(guest, memory, selector, busy=True)
    _load(guest, memory, selector, found, tss, image, nested=way is Way.CALL)
    return f"switched to the task of TSS {selector:#06x}, which goes on at {guest.eip:#010x}"


def _through_gate(guest: GuestCpu, memory: LinearMemory, selector: int, gate: Descriptor) -> tuple[int, Descriptor]:
    if not gate.present:
        raise GuestFault(Vector.NP, selector_error(selector))
    target = gate.low >> 16
    error = selector_error(target)
    if target & 4:
        raise GuestFault(Vector.TS, error)
    found = fetch(guest, memory, target)
    if found is None or found.is_segment or found.system_type not in (TSS_AVAILABLE, TSS_AVAILABLE_16):
        raise general_protection(error)
    return target, found


def _word(image: bytes, at: int, size: int = 4) -> int:
    return int.from_bytes(image[at : at + size], "little")


def _set_busy(guest: GuestCpu, memory: LinearMemory, selector: int, *, busy: bool) -> Descriptor:
    """Set or clear the busy bit in the GDT; the descriptor as it is then."""
    at = guest.gdtr.base + (selector & ~7)
    low, high = (_word(memory.read(guest.paging, at + offset, 4), 0) for offset in (0, 4))
    high = high | TSS_BUSY_BIT if busy else high & ~TSS_BUSY_BIT
    memory.write(guest.paging, at + 4, high.to_bytes(4, "little"))
    return Descriptor(low, high, at)


def _save(guest: GuestCpu, memory: LinearMemory, tss: Format, way: Way) -> None:
    """Put the state of the old task into its TSS; by the new task's format `tss`, as the emulated CPU does."""
    task, paging = guest.segment(Seg.TR), guest.paging
    for at in (
        task.base,
        task.base + format_of(task.flags >> 8 & 0xF).smallest,
    ):  # a page fault comes before anything is changed
        memory.write(paging, at, memory.read(paging, at, 1))
    if way is not Way.CALL:
        _set_busy(guest, memory, task.selector, busy=False)
    kept = guest.eflags & ~flags.NT if way is Way.RETURN else guest.eflags
    words = (guest.eip, kept, *(guest.reg(reg) for reg in Gpr))
    kept_low = b"".join((word & (1 << 8 * tss.size) - 1).to_bytes(tss.size, "little") for word in words)
    memory.write(paging, task.base + tss.eip, kept_low)
    for index in range(tss.segments):
        selector = guest.segment(index).selector & 0xFFFF
        memory.write(paging, task.base + tss.selectors + 4 * index, selector.to_bytes(2, "little"))


def _load(
    guest: GuestCpu,
    memory: LinearMemory,
    selector: int,
    found: Descriptor,
    tss: Format,
    image: bytes,
    *,
    nested: bool,
) -> None:
    """Take the new task's state from its TSS `image`; the old EIP stays until all of it has been accepted."""
    size, upper = tss.size, 0 if tss is WIDE else 0xFFFF_0000  # the upper halves of registers become ones
    guest.set_cr(0, guest.cr(0) | flags.CR0_TS)
    guest.set_segment(Seg.TR, Segment(selector, found.base, found.limit, found.high & ~TSS_BUSY_BIT))
    if tss is WIDE and guest.paging.enabled:
        guest.set_cr(3, _word(image, CR3))
    eflags = _word(image, tss.eflags, size) | (flags.NT if nested else 0)
    loaded = LOADED & (1 << 8 * size) - 1
    guest.eflags = guest.eflags & ~loaded | eflags & loaded
    for reg in Gpr:
        guest.set_reg(reg, _word(image, tss.registers + size * reg, size) | upper)
    selectors = [_word(image, tss.selectors + 4 * index, 2) for index in range(tss.segments)]
    selectors += [0] * (6 - tss.segments)
    for index, each in enumerate(selectors):
        guest.set_segment(index, Segment(each, 0, 0, 0))
    guest.set_cpl(0)
    _load_ldt(guest, memory, _word(image, tss.ldt, 2))
    ring = selectors[Seg.CS] & 3
    for seg in (Seg.CS, Seg.SS, *DATA_SEGMENTS):
        _load_segment(guest, memory, seg, selectors[seg], ring)
    eip = _word(image, tss.eip, size)
    if eip > guest.segment(Seg.CS).limit:
        raise TaskFault(Vector.GP, 0)
    guest.eip = eip


def _load_ldt(guest: GuestCpu, memory: LinearMemory, selector: int) -> None:
    guest.set_segment(Seg.LDTR, Segment(selector & ~4, 0, 0, 0))
    if not selector & 0xFFFC:
        return
    found = None if selector & 4 else fetch(guest, memory, selector)
    if found is None or found.is_segment or found.system_type != LDT or not found.present:
        raise TaskFault(Vector.TS, selector_error(selector))
    guest.set_segment(Seg.LDTR, found.cache(selector))


def _load_segment(guest: GuestCpu, memory: LinearMemory, seg: Seg, selector: int, ring: int) -> None:
    refused = TaskFault(Vector.TS, selector_error(selector))
    if not selector & 0xFFFC:
        if seg in (Seg.CS, Seg.SS):
            raise refused
        return
    found = fetch(guest, memory, selector)
    if found is None or not found.is_segment:
        raise refused
    rpl, dpl = selector & 3, found.dpl
    if seg == Seg.CS:
        accepted = found.is_code and dpl == rpl
    elif seg == Seg.SS:
        accepted = found.is_writable_data and dpl == ring == rpl
    else:
        readable = not found.high & TYPE_CODE or bool(found.high & TYPE_WRITABLE)
        accepted = readable and (found.is_conforming or dpl >= max(ring, rpl))
    if not accepted:
        raise refused
    if not found.present:
        raise TaskFault(Vector.NP, selector_error(selector))
    if seg == Seg.SS:
        guest.set_cpl(dpl)
    guest.set_segment(seg, found.cache(selector))
