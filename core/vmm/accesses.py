"""What an instruction touches in linear memory, as it is about to run: its code, its operands, descriptor tables, TSS.

By this it is known whether the guest-physical address of a nested page fault was met as an entry of the guest's page
tables (bit 33 of EXITINFO1) or is where a walk ended (bit 32): the emulated CPU keeps only the low half (AMD APM vol. 2
§15.25.6). A walk reads the entries of a page table as if it wrote them, so a fault that is no write is never one.
"""

from __future__ import annotations

from collections.abc import Iterator

from iced_x86 import (
    CodeSize,
    Instruction,
    InstructionInfoFactory,
    MemorySizeExt,
    Register,
    Register_,
    RegisterExt,
    UsedMemory,
)

from core.addresses import PAGE_SIZE, GuestPhysical, GuestVirtual
from core.cpu.context import Seg
from core.cpu.guest_cpu import GuestCpu
from core.memory.guest_physical import GuestPhysicalMemory
from core.memory.walk import Access, walk

_SEGMENTS = {
    Register.ES: Seg.ES,
    Register.CS: Seg.CS,
    Register.SS: Seg.SS,
    Register.DS: Seg.DS,
    Register.FS: Seg.FS,
    Register.GS: Seg.GS,
}
_INFO = InstructionInfoFactory()


def met_as_table(guest: GuestCpu, physical: GuestPhysicalMemory, instruction: Instruction, address: int) -> bool:
    """Does the guest's own walk for anything that `instruction` touches meet an entry at guest-physical `address`?"""
    paging = guest.paging
    if not paging.enabled:
        return False
    wanted = GuestPhysical(address)
    return any(
        entry.address == wanted
        for linear in linear_accesses(guest, instruction)
        for entry in walk(physical, paging, GuestVirtual(linear & 0xFFFF_FFFF), Access()).entries
    )


def linear_accesses(guest: GuestCpu, instruction: Instruction) -> Iterator[int]:
    """The first and the last byte of all that it touches, not yet cut to 32 bits; of a table each page."""
    yield from (guest.pc, guest.pc + max(instruction.len, 1) - 1)
    for memory in _INFO.info(instruction).used_memory():
        segment = _SEGMENTS.get(memory.segment)
        if segment is not None:
            first = guest.segment(segment).base + _offset(guest, memory)
            yield from (first, first + max(MemorySizeExt.size(memory.memory_size), 1) - 1)
    tables = [(guest.gdtr.base, guest.gdtr.limit)]
    tables += [(held.base, held.limit) for held in (guest.segment(Seg.LDTR), guest.segment(Seg.TR))]
    for base, limit in tables:
        last = base + min(limit, 0xFFFF)
        yield from (*range(base, last, PAGE_SIZE), last)


def _offset(guest: GuestCpu, memory: UsedMemory) -> int:
    mask = 0xFFFF if memory.address_size == CodeSize.CODE16 else 0xFFFF_FFFF
    offset = memory.displacement + _value(guest, memory.base) + _value(guest, memory.index) * memory.scale
    return offset & mask


def _value(guest: GuestCpu, register: Register_) -> int:
    size = RegisterExt.size(register)
    if not size:
        return 0  # none
    value = guest.reg(RegisterExt.number(RegisterExt.full_register32(register)))
    return value & 0xFFFF if size == 2 else value
