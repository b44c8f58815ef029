"""Delivery of exceptions and interrupts through the IDT: the part of the CPU that we play ourselves.

The CPU finds the gate, checks type, privilege and presence, switches stacks by the TSS when the handler is more
privileged, pushes the frame, masks IF for interrupt gates and goes on in the handler. A fault on the way becomes that
fault, a double fault, or the end (Intel SDM vol. 3 §6.12–6.15, vol. 2 INT n pseudocode; AMD APM vol. 2 §8.7–8.9). Not
modelled: virtual-8086 mode, which stops loudly. RF is not set in the frame of a fault, because the emulated CPU would
never clear it again after IRET.
"""

from __future__ import annotations

from enum import Enum
from struct import pack
from typing import NamedTuple, Protocol

from core.cpu.context import CS, ESP, SS, TR
from core.cpu.descriptors import TWO_WORDS, Descriptor, fetch, selector_error, stack_segment
from core.cpu.faults import (
    CONTRIBUTORY,
    WITH_ERROR_CODE,
    GuestFault,
    Shutdown,
    Vector,
    general_protection,
)
from core.cpu.flags import IF, NT, RF, TF, VM
from core.cpu.guest_cpu import DESC_DB, GuestCpu, Segment
from core.cpu.task_switch import WIDE, Way, format_of, switch_task
from core.errors import UnknownDeparture
from core.events import made_quickly
from core.memory.walk import LinearMemory

GATE_TASK, GATE_INTERRUPT_16, GATE_TRAP_16, GATE_INTERRUPT_32, GATE_TRAP_32 = 0x5, 0x6, 0x7, 0xE, 0xF
_GATES = {
    GATE_INTERRUPT_16: "16-bit interrupt gate",
    GATE_TRAP_16: "16-bit trap gate",
    GATE_INTERRUPT_32: "interrupt gate",
    GATE_TRAP_32: "trap gate",
}


class Origin(Enum):
    """Where an event comes from; decides on privilege check, EXT bit and error code."""

    EXCEPTION = "exception"  # raised by the CPU
    SOFTWARE = "software interrupt"  # INT n, INT3, INTO
    EXTERNAL = "external interrupt"  # from an interrupt controller


EXCEPTION, SOFTWARE, EXTERNAL = Origin
PF = Vector.PF


class Event(NamedTuple):
    """Something to deliver. `address` is CR2 of a page fault."""

    vector: int
    origin: Origin
    error_code: int | None = None
    address: int | None = None


class Delivered(NamedTuple):
    """How an event reached its handler: the vector in the end (a double fault may replace the first), the gate."""

    vector: int
    gate: str
    ring_from: int
    ring_to: int
    passed: tuple[int, ...] = ()  # vectors tried before, of a double fault


class Witness(Protocol):
    """Who is told of what happens on the way: a hypervisor whose guest may leave in the middle of a delivery."""

    def met(self, event: Event, fault: GuestFault) -> None:
        """Delivering `event` raised `fault`."""

    def became(self, event: Event) -> None:
        """`event` is what the two make, and is delivered next."""


def deliver(
    guest: GuestCpu, memory: LinearMemory, event: Event, fault_eip: int | None = None, witness: Witness | None = None
) -> Delivered:
    """Deliver `event`, turning faults met on the way into the fault, the double fault or `Shutdown` they cause.

    EIP must already be the one to save: the instruction's own for faults, the next one's for traps and interrupts.
    `fault_eip` is the EIP of a software interrupt itself, saved instead if delivering it faults.
    """
    tried: list[int] = []
    while True:
        try:
            if event.vector == PF and event.address is not None:
                guest.set_cr(2, event.address)
            done = _through_gate(guest, memory, event)
            return done._replace(passed=tuple(tried)) if tried else done
        except GuestFault as fault:
            if fault_eip is not None:
                guest.eip = fault_eip
            tried.append(event.vector)
            if witness is not None:
                witness.met(event, fault)
            event = _combine(event, fault, tried)
            if witness is not None:
                witness.became(event)


def _combine(first: Event, second: GuestFault, tried: list[int]) -> Event:
    """SDM vol. 3 table 6-5: what two events make."""
    raised = first.origin is EXCEPTION
    harmful = second.vector in CONTRIBUTORY or second.vector == Vector.PF
    if raised and first.vector == Vector.DF and harmful:
        raise Shutdown((*tried, second.vector))
    double = raised and (
        (first.vector in CONTRIBUTORY and second.vector in CONTRIBUTORY) or (first.vector == Vector.PF and harmful)
    )
    if double:
        return Event(Vector.DF, Origin.EXCEPTION, 0)
    return Event(second.vector, Origin.EXCEPTION, second.error_code, second.address)


def _through_gate(guest: GuestCpu, memory: LinearMemory, event: Event) -> Delivered:
    vector, origin, error_code, _ = event
    software = origin is SOFTWARE
    external = 0 if software else 1
    gate_error = vector * 8 + 2
    table, limit = guest.idtr
    if vector * 8 + 7 > limit:
        raise general_protection(gate_error | external)
    low, high = TWO_WORDS.unpack(memory.read(guest.paging, table + vector * 8, 8))
    kind = high >> 8 & 0x1F
    if kind == GATE_TASK:
        return _through_task_gate(guest, memory, event, Descriptor(low, high, table + vector * 8))
    gate = _GATES.get(kind)
    if gate is None:
        raise general_protection(gate_error | external)
    cpl = guest.cpl
    if software and high >> 13 & 3 < cpl:
        raise general_protection(gate_error)
    if not high & 0x8000:
        raise GuestFault(Vector.NP, gate_error | external)
    wide = kind in (GATE_INTERRUPT_32, GATE_TRAP_32)
    offset = (low & 0xFFFF | high & 0xFFFF_0000) if wide else low & 0xFFFF
    selector = low >> 16

    if not selector & 0xFFFC:
        raise general_protection(external)
    descriptor = fetch(guest, memory, selector)
    error = selector_error(selector, external)
    if descriptor is None or not descriptor.is_code or descriptor.dpl > cpl:
        raise general_protection(error)
    if not descriptor.present:
        raise GuestFault(Vector.NP, error)
    flags = guest.eflags
    if flags & VM:
        raise UnknownDeparture("The guest is in virtual-8086 mode, which this version does not deliver from.")

    old_ss, old_esp = guest.segment(SS), guest.reg(ESP)
    inward = not descriptor.is_conforming and descriptor.dpl < cpl
    ring = descriptor.dpl if inward else cpl
    values = [guest.eip, guest.segment(CS).selector, flags]  # from where the stack will end, upwards
    if origin is EXCEPTION and vector in WITH_ERROR_CODE:
        values.insert(0, error_code or 0)
    if inward:
        stack, esp = _inner_stack(guest, memory, ring, external)
        values += [old_esp, old_ss.selector]
    else:
        stack, esp = old_ss, old_esp
    if wide:
        frame = pack(f"<{len(values)}I", *values)
    else:
        frame = pack(f"<{len(values)}H", *(value & 0xFFFF for value in values))
    new_esp = _push(guest, memory, stack, esp, frame, external if inward else None, user=ring == 3)
    code = descriptor.cache(selector & ~3 | ring)
    if offset > code.limit:
        raise general_protection(external)

    if inward:
        guest.set_cpl(ring)
        guest.set_segment(SS, stack)
    guest.set_segment(CS, code)
    guest.set_reg(ESP, new_esp)
    guest.eip = offset
    masked = TF | NT | RF | VM | (IF if kind in (GATE_INTERRUPT_32, GATE_INTERRUPT_16) else 0)
    guest.eflags = flags & ~masked
    return made_quickly(Delivered, (vector, gate, cpl, ring, ()))


def _through_task_gate(guest: GuestCpu, memory: LinearMemory, event: Event, gate: Descriptor) -> Delivered:
    """The handler is a task of its own; it comes back by IRET, and finds an error code on its stack."""
    software = event.origin is SOFTWARE
    if software and gate.dpl < guest.cpl:
        raise general_protection(event.vector * 8 + 2)
    if not gate.present:
        raise GuestFault(Vector.NP, event.vector * 8 + 2 | (not software))
    before = guest.cpl
    switch_task(guest, memory, event.vector * 8, gate, Way.CALL)
    if event.origin is EXCEPTION and event.vector in WITH_ERROR_CODE:
        size = format_of(guest.segment(TR).flags >> 8 & 0xF).size
        code = ((event.error_code or 0) & (1 << 8 * size) - 1).to_bytes(size, "little")
        esp = _push(guest, memory, guest.segment(SS), guest.reg(ESP), code, None, user=guest.cpl == 3)
        guest.set_reg(ESP, esp)
    return Delivered(event.vector, "task gate", before, guest.cpl)


def stack_of_ring(
    guest: GuestCpu, memory: LinearMemory, ring: int, external: int = 0, beyond: int = 0
) -> tuple[int, int]:
    """ESP and SS of `ring` from the TSS; #TS if that ends before them (SDM vol. 3 §7.2.1), or, of 32 bits, before
    `beyond` bytes more."""
    tss = guest.segment(TR)
    kind = tss.flags >> 8 & 0xF
    if kind & 5 != 1:
        raise UnknownDeparture("The guest needs the stack of an inner ring, and has loaded no TSS that names one.")
    wide = format_of(kind) is WIDE
    size = 4 if wide else 2
    offset = (1 + 2 * ring) * size
    if offset + size + 2 + beyond * wide - 1 > tss.limit:
        raise GuestFault(Vector.TS, selector_error(tss.selector, external))
    raw = memory.read(guest.paging, tss.base + offset, size + 2)
    return int.from_bytes(raw[:size], "little"), int.from_bytes(raw[size:], "little")


def _inner_stack(guest: GuestCpu, memory: LinearMemory, ring: int, external: int) -> tuple[Segment, int]:
    esp, selector = stack_of_ring(guest, memory, ring, external)
    return stack_segment(guest, memory, selector, ring, Vector.TS, external).cache(selector), esp


def _push(
    guest: GuestCpu, memory: LinearMemory, stack: Segment, esp: int, frame: bytes, external: int | None, *, user: bool
) -> int:
    """Store the frame below `esp`; gives the new ESP. `external` is the EXT bit of a new stack, None for the old."""
    mask = 0xFFFF_FFFF if stack.flags & DESC_DB else 0xFFFF
    top = (esp - len(frame)) & mask
    last = top + len(frame) - 1
    expand_down = stack.flags & 1 << 10
    inside = (stack.limit < top and last <= mask) if expand_down else last <= stack.limit
    if not inside:
        raise GuestFault(Vector.SS, 0 if external is None else selector_error(stack.selector, external))
    memory.write(guest.paging, stack.base + top, frame, user=user)
    return esp & ~mask | top
