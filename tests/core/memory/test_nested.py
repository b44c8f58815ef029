"""The nested table: filled on demand, large where it fits, closed where the hypervisor says so; walked by the CPU."""

from __future__ import annotations

from typing import cast

from core.addresses import GuestPhysical
from core.events import Cause
from core.guests.assembler import assemble
from core.memory.nested import LARGE_BYTES, NestedPager
from core.memory.walk import LARGE, WRITABLE
from core.session import Session
from core.vmm.hardware import Hardware

TEXT = """
.globl _start
_start: mov dword ptr [0x400000], 1
        mov dword ptr [0x400004], 2
        mov dword ptr [0x401000], 3
        mov eax, [0x402000]
        hlt
"""
PAGE = GuestPhysical(0x400000)


def session() -> tuple[Session, NestedPager]:
    made = Session()
    made.load(assemble(TEXT, "writes.s"), "hardware")
    return made, cast(Hardware, made.vmm).nested


def nested_faults(made: Session) -> int:
    return sum(trap.handler == "hypervisor: nested page fault" for trap in made.traps.recent())


def test_an_aligned_piece_is_mapped_by_one_large_page() -> None:
    made, nested = session()
    made.run()
    assert nested_faults(made) == 2  # the code's 2 MiB and the data's
    *_, leaf = nested.walk(PAGE)
    assert (leaf.level, bool(leaf.value & LARGE)) == (2, True)
    assert leaf.value & ~0xFFF == made.vmm.physical.host(PAGE)
    assert made.vmm.physical.host(PAGE) % LARGE_BYTES == 0


def test_a_closed_page_splits_the_large_one_and_lets_each_write_through_alone() -> None:
    made, nested = session()
    nested.protect(PAGE, writable=False)
    made.run()
    texts = [trap.outcome for trap in made.traps.recent() if trap.cause is Cause.EXIT]
    assert sum("which it has closed" in text for text in texts) == 2
    assert made.vmm.physical.read(PAGE, 8) == bytes([1, 0, 0, 0, 2, 0, 0, 0])
    *_, leaf = nested.walk(PAGE)
    assert (leaf.level, leaf.value & WRITABLE) == (1, 0)


def test_a_page_opened_again_is_written_without_an_exit() -> None:
    made, nested = session()
    nested.protect(PAGE, writable=False)
    made.step()
    nested.protect(PAGE, writable=True)
    before = nested_faults(made)
    made.step()
    assert nested_faults(made) == before


def test_written_pages_are_learned_one_exit_each() -> None:
    made, nested = session()
    nested.log_writes()
    made.step(2)
    assert nested.written() == {PAGE}
    made.run()
    assert nested.written() == {GuestPhysical(0x401000)}
    assert nested.written() == set()


def test_logging_begun_on_large_pages_splits_them() -> None:
    made, nested = session()
    made.step()
    nested.log_writes()
    made.step()
    assert nested.written() == {PAGE}
    assert made.vmm.physical.read(PAGE, 8) == bytes([1, 0, 0, 0, 2, 0, 0, 0])


BEYOND = """
.globl _start
_start: mov ebx, 0x1000000
next:   mov eax, [ebx + 0x1ffffe]
        add ebx, 0x200000
        cmp ebx, 0xff000000
        jb next
        hlt
"""


def test_a_guest_that_reads_all_over_the_bus_does_not_make_the_table_grow() -> None:
    """Each read lies across two regions of 2 MiB, of which the last has another read's first half."""
    made = Session()
    made.load(assemble(BEYOND, "beyond.s"), "hardware")
    made.step()
    before = set(cast(Hardware, made.vmm).nested.table_frames())
    made.run()
    assert made.vmm.guest.reg(0) == 0xFFFF_FFFF
    assert nested_faults(made) > 2 * 2000
    after = set(cast(Hardware, made.vmm).nested.table_frames())
    assert len(after - before) == 2
    assert {made.machine.frames.owner(frame) for frame in after} == {"monitor of A"}
