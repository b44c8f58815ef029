"""Call gates: far CALL and JMP to an entry point that the operating system has chosen, CALL also to an inner ring.

A gate in GDT or LDT names code segment and offset; a CALL through it to more privileged code changes to the stack that
the TSS names for that ring and copies parameters across (Intel SDM vol. 3 §5.8.3–5.8.5; AMD APM vol. 2 §4.11.2). Used
where the CPU does not do it itself; checks and their order are those of the emulated CPU, as its bare machine must be
equalled: a stack that is not present is #TS, a JMP to code that is not present #GP.
"""

from __future__ import annotations

from core.cpu.context import Gpr, Seg
from core.cpu.delivery import stack_of_ring
from core.cpu.descriptors import Descriptor, fetch, selector_error, stack_segment
from core.cpu.faults import GuestFault, Vector, general_protection
from core.cpu.guest_cpu import DESC_DB, GuestCpu, Segment
from core.memory.walk import LinearMemory

CALL_GATE_16, CALL_GATE_32 = 0x4, 0xC
CALL_GATES = frozenset({CALL_GATE_16, CALL_GATE_32})


def through_call_gate(guest: GuestCpu, memory: LinearMemory, selector: int, gate: Descriptor, *, call: bool) -> str:
    """CALL or JMP through `gate`, which `selector` names; EIP must be the next instruction's. Gives what was done."""
    error = selector_error(selector)
    if gate.dpl < guest.cpl or gate.dpl < selector & 3:
        raise general_protection(error)
    if not gate.present:
        raise GuestFault(Vector.NP, error)
    wide = gate.system_type == CALL_GATE_32
    target = gate.low >> 16
    offset = gate.low & 0xFFFF | (gate.high & 0xFFFF_0000 if wide or call else 0)
    code = _code(guest, memory, target, call=call)
    size = 4 if wide else 2
    if not call:
        if offset > code.limit:
            raise general_protection(selector_error(target))
        guest.set_segment(Seg.CS, code.cache(target & ~3 | guest.cpl))
        guest.eip = offset
    elif not code.is_conforming and code.dpl < guest.cpl:
        before = guest.cpl
        _call_inward(guest, memory, code, target, gate.high & 0x1F, size)
        guest.eip = offset
        return (
            f"called {target & ~3 | code.dpl:#06x}:{offset:#010x} through a gate, from ring {before} to ring {code.dpl}"
        )
    else:
        esp = push_each(guest, memory, guest.segment(Seg.SS), guest.reg(Gpr.ESP), way_back(guest), size)
        guest.set_segment(Seg.CS, code.cache(target & ~3 | code.dpl))
        guest.set_reg(Gpr.ESP, esp)
        guest.eip = offset
    return f"{'called' if call else 'went on at'} {target:#06x}:{offset:#010x} through a gate"


def _code(guest: GuestCpu, memory: LinearMemory, target: int, *, call: bool) -> Descriptor:
    if call and not target & 0xFFFC:
        raise general_protection()
    code = fetch(guest, memory, target)
    error = selector_error(target)
    if code is None or not code.is_code:
        raise general_protection(error)
    inward = call or code.is_conforming
    if code.dpl > guest.cpl or (not inward and code.dpl != guest.cpl):
        raise general_protection(error)
    if not code.present:
        raise GuestFault(Vector.NP if call else Vector.GP, error)
    return code


def way_back(guest: GuestCpu) -> tuple[int, int]:
    """What a far CALL pushes: CS and EIP."""
    return guest.segment(Seg.CS).selector, guest.eip


def _call_inward(
    guest: GuestCpu, memory: LinearMemory, code: Descriptor, target: int, parameters: int, size: int
) -> None:
    ring = code.dpl
    esp, selector = stack_of_ring(guest, memory, ring, beyond=2)
    try:
        found = stack_segment(guest, memory, selector, ring, Vector.TS)
    except GuestFault as fault:
        raise GuestFault(Vector.TS, fault.error_code) if fault.vector == Vector.SS else fault from None
    stack = found.cache(selector & ~3 | ring)
    old, old_esp = guest.segment(Seg.SS), guest.reg(Gpr.ESP)
    esp = push_each(guest, memory, stack, esp, (old.selector, old_esp), size)
    for index in reversed(range(parameters)):
        at = (old.base + (old_esp + index * size & _mask(old))) & 0xFFFF_FFFF
        value = int.from_bytes(memory.read(guest.paging, at, size), "little")
        esp = push_each(guest, memory, stack, esp, (value,), size)
    esp = push_each(guest, memory, stack, esp, way_back(guest), size)
    guest.set_cpl(ring)
    guest.set_segment(Seg.SS, stack)
    guest.set_segment(Seg.CS, code.cache(target & ~3 | ring))
    mask = _mask(stack)
    guest.set_reg(Gpr.ESP, old_esp & ~mask & 0xFFFF_FFFF | esp & mask)


def _mask(stack: Segment) -> int:
    return 0xFFFF_FFFF if stack.flags & DESC_DB else 0xFFFF


def push_each(
    guest: GuestCpu, memory: LinearMemory, stack: Segment, esp: int, values: tuple[int, ...], size: int
) -> int:
    """Store `values` below `esp`, the first one first, one after another and with ring 0's rights, as the emulated CPU
    does in every far transfer; gives the new ESP, which it is for the caller to load."""
    mask = _mask(stack)
    for value in values:
        esp -= size
        linear = (stack.base + (esp & mask)) & 0xFFFF_FFFF
        memory.write(guest.paging, linear, (value & (1 << 8 * size) - 1).to_bytes(size, "little"))
    return esp & 0xFFFF_FFFF
