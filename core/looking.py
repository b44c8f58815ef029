"""Answers a `Look`: bytes, page walks, the map of physical memory, the screen, all read from one VM at one instant.

Nothing is changed by it, neither an accessed bit nor a device. Addresses are followed as the CPU would follow them
(Intel SDM vol. 3 §4.3), through the guest's own tables and, where the CPU walks others, through those.
"""

from __future__ import annotations

from dataclasses import replace

from core.addresses import ADDRESS_MASK, GuestPhysical, GuestVirtual
from core.cpu.context import Gpr, Seg
from core.cpu.decode import decode
from core.cpu.flags import CR4_PAE
from core.devices.vga import TEXT_BYTES
from core.layout import SCREEN_MEMORY
from core.looks import Follow, Look, PageWalk, Seen, SeenBytes, SeenScreen, Space, Span
from core.machine import Machine
from core.memory.onlooker import GuestWords, host_pieces, linear_pieces, physical_pieces, table_walk
from core.memory.walk import Access, walk
from core.page_use import PageUse, Watched
from core.vmm.vmm import Vmm

ROW = 16
GUESTS = "Guest's tables"
GUESTS_WALKED = "The CPU walks these itself."
GUESTS_BELIEVED = "What the guest believes is walked."
NO_PAGING = "Paging is off (CR0.PG = 0): a linear address is the guest-physical address."
LARGEST_SPAN = 1 << 14


def look_at(look: Look, watched: Watched) -> Seen:
    """What `look` shows of the VM that is watched."""
    vmm, machine = watched.vmm, watched.machine
    return Seen(
        bytes=_bytes(look.span, vmm, machine) if look.span is not None else None,
        walk=page_walk(vmm, _address(look.walk, vmm)) if look.walk is not None else None,
        map=PageUse(watched).map(look.page) if look.map else None,
        screen=_screen(vmm) if look.screen else None,
        vmcb=vmm.seen_vmcb() if look.vmcb else None,
        cache=vmm.seen_cache() if look.cache else None,
        block=vmm.seen_block(None if isinstance(look.block, Follow) else look.block)
        if look.block is not None
        else None,
    )


def page_walk(vmm: Vmm, linear: int) -> PageWalk:
    """How linear address `linear` is translated now."""
    address, paging = GuestVirtual(linear & ADDRESS_MASK), vmm.guest.paging
    words, spaces = GuestWords(vmm.physical), (Space.PHYSICAL, Space.PHYSICAL)
    guest = table_walk(words, paging, address, GUESTS, "" if paging.enabled else NO_PAGING, spaces)
    real = vmm.real_walks(address, guest)
    if paging.enabled and not guest.note:
        guest = replace(guest, note=GUESTS_WALKED if vmm.walks_guest_tables else GUESTS_BELIEVED)
    host = None
    if guest.reached is not None and guest.reached < vmm.physical.size:
        host = vmm.physical.lies_at(GuestPhysical(guest.reached))
    return PageWalk(address, guest, real, host, vmm.references(guest, real))


def _address(of: int | Follow, vmm: Vmm) -> int:
    """A linear address, a register's included."""
    if of is Follow.EIP:
        return vmm.guest.pc
    if of is Follow.ESP:
        return (vmm.guest.segment(Seg.SS).base + vmm.guest.reg(Gpr.ESP)) & ADDRESS_MASK
    return of & ADDRESS_MASK


def _bytes(span: Span, vmm: Vmm, machine: Machine) -> SeenBytes:
    start = span.address
    if span.follow is not None:
        start += _in_space(_address(span.follow, vmm), span.space, vmm) or 0
        start -= start % ROW
    start &= ADDRESS_MASK
    size = max(0, min(span.size, LARGEST_SPAN, ADDRESS_MASK + 1 - start))
    match span.space:
        case Space.LINEAR:
            pieces = linear_pieces(vmm.physical, vmm.guest.paging, start, size)
        case Space.PHYSICAL:
            pieces = physical_pieces(vmm.physical, start, size)
        case Space.HOST:
            pieces = host_pieces(machine.ram, start, size)
    code = vmm.linear.peek_code(vmm.guest.paging, vmm.guest.pc)
    length = decode(code, vmm.guest.pc, vmm.guest.code_bits).len if code else 0
    pc, stack = (_in_space(_address(each, vmm), span.space, vmm) for each in Follow)
    return SeenBytes(span, start, pieces, pc, length or 1, stack)


def _in_space(linear: int, space: Space, vmm: Vmm) -> int | None:
    """Where a linear address of the guest is in `space`."""
    if space is Space.LINEAR:
        return linear
    paging = vmm.guest.paging
    if paging.enabled and paging.cr4 & CR4_PAE:
        return None
    found = walk(GuestWords(vmm.physical), paging, GuestVirtual(linear), Access()).physical
    if found is None or space is Space.PHYSICAL:
        return found
    return vmm.physical.lies_at(found) if found < vmm.physical.size else None


def _screen(vmm: Vmm) -> SeenScreen:
    vga = vmm.pc.vga
    at = SCREEN_MEMORY + 2 * vga.start
    return SeenScreen(vmm.physical.read(GuestPhysical(at), TEXT_BYTES), vga.cursor)
