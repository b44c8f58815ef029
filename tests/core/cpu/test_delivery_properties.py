"""Delivery against the CPU's own IRET, which must undo it, and against any garbage in the IDT: all done or nothing.

The emulated CPU carries IRET out by itself, by code that has nothing to do with ours. So what we push is what it pops.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.addresses import GuestPhysical
from core.cpu.context import Gpr, Seg
from core.cpu.delivery import Event, Origin, deliver
from core.cpu.faults import WITH_ERROR_CODE, Shutdown
from core.cpu.guest_cpu import Segment
from core.cpu.probes import Halted
from core.errors import UnknownDeparture
from tests.core.cpu.rig import CODE_0, CODE_1, CODE_CONFORMING, IDT, STACK_0, Rig, gate, handler
from tests.core.memory.test_walk import Trapper

ARITHMETIC, IF, NT, RESERVED = 0x8D5, 1 << 9, 1 << 14, 0x2
DIRECTION, IOPL = 1 << 10, 3 << 12
IRET, DROP = b"\xcf", b"\x83\xc4\x04"  # IRETD; ADD ESP, 4
VECTOR = 0x11  # an exception with an error code, if it is one

Whole = tuple[int, ...]


def whole(rig: Rig) -> Whole:
    """Everything that delivery may change, but memory."""
    guest = rig.guest
    segments = [guest.segment(seg) for seg in (Seg.CS, Seg.SS, Seg.DS, Seg.ES)]
    return (
        guest.cpl,
        guest.eip,
        guest.eflags,
        *(guest.reg(Gpr(number)) for number in range(8)),
        *(value for one in segments for value in (one.selector, one.base, one.limit, one.flags & ~0x100)),
    )


flag_bits = st.integers(0, 0xFFFF).map(lambda bits: bits & (ARITHMETIC | IF | DIRECTION | IOPL) | RESERVED)


@given(
    ring=st.sampled_from([0, 1, 3]),
    target=st.sampled_from([CODE_0, CODE_1, CODE_CONFORMING]),
    trap_gate=st.booleans(),
    origin=st.sampled_from(Origin),
    vector=st.integers(0, 47),
    error_code=st.integers(0, 0xFFFF),
    flags=flag_bits,
    esp=st.integers(0x8100, 0xBFFF),
    eip=st.integers(0, 0xFFFFF),
)
def test_iret_undoes_any_delivery(
    ring: int,
    target: int,
    trap_gate: bool,
    origin: Origin,
    vector: int,
    error_code: int,
    flags: int,
    esp: int,
    eip: int,
) -> None:
    if target == CODE_1 and ring == 0:
        return  # a gate leads to an outer ring never
    rig = Rig()
    rig.enter(ring)
    rig.guest.set_reg(Gpr.ESP, esp)
    rig.guest.eip, rig.guest.eflags = eip, flags
    rig.set_gate(vector, gate(0xF if trap_gate else 0xE, target, handler(vector), dpl=3))
    before = whole(rig)
    done = deliver(rig.guest, rig.memory, Event(vector, origin, error_code))
    inside = 1 if target == CODE_1 else 0 if target == CODE_0 else ring
    assert (done.vector, done.ring_from, done.ring_to) == (vector, ring, inside)
    assert (rig.guest.cpl, rig.guest.eip) == (inside, handler(vector))
    assert rig.guest.eflags & ~IF == flags & ~IF
    assert bool(rig.guest.eflags & IF) == (bool(flags & IF) and trap_gate)
    if inside < ring:
        assert STACK_0 - 0x800 - 24 <= rig.guest.reg(Gpr.ESP) < STACK_0

    has_error = origin is Origin.EXCEPTION and vector in WITH_ERROR_CODE
    code = (DROP if has_error else b"") + IRET
    rig.memory.physical.write(GuestPhysical(handler(vector)), code)
    arithmetic = rig.guest.eflags & ARITHMETIC
    rig.cpu.connect(Trapper(rig))
    rig.cpu.end = 2 if has_error else 1
    assert rig.cpu.run() is Halted.BUDGET
    after = list(whole(rig))
    if inside > 0:  # IRET outside ring 0 cannot set IOPL, nor IF above it
        kept = IOPL | (IF if inside > flags >> 12 & 3 else 0)
        after[2] = after[2] & ~kept | flags & kept
    assert arithmetic == flags & ARITHMETIC
    assert tuple(after) == before


@given(
    entry=st.integers(0, (1 << 64) - 1),
    kind=st.sampled_from([None, 0xE, 0xF, 0x6, 0x7]),
    ring=st.sampled_from([0, 1, 3]),
    origin=st.sampled_from(Origin),
    limit=st.integers(0, 48 * 8 - 1),
)
def test_any_garbage_for_a_gate_ends_in_a_handler_or_in_nothing(
    entry: int, kind: int | None, ring: int, origin: Origin, limit: int
) -> None:
    """Either somebody's handler stands ready with all of a frame below it, or nothing of the guest has changed."""
    if kind is not None:
        entry = entry & ~(0x1F << 40) | kind << 40
    rig = Rig()
    rig.enter(ring)
    rig.set_gate(VECTOR, entry)
    rig.guest.idtr = type(rig.guest.idtr)(IDT, limit)
    before = whole(rig)
    try:
        done = deliver(rig.guest, rig.memory, Event(VECTOR, origin, 0))
    except (Shutdown, UnknownDeparture):
        assert whole(rig) == before
        return
    guest = rig.guest
    assert done.ring_to == guest.cpl <= ring
    assert 8 * done.vector + 7 <= limit
    assert guest.segment(Seg.CS).selector & 3 == guest.cpl
    assert guest.segment(Seg.CS).flags >> 11 & 1  # of code
    frame_bits = 16 if "16-bit" in done.gate else 32
    has_error = bool(done.passed) or origin is Origin.EXCEPTION
    words = (3 if guest.cpl == ring else 5) + has_error
    old = before[3 + Gpr.ESP] if guest.cpl == ring else {0: STACK_0, 1: STACK_0 - 0x800}[guest.cpl]
    assert old - guest.reg(Gpr.ESP) == words * frame_bits // 8
    assert isinstance(guest.segment(Seg.SS), Segment)
