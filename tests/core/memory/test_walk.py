"""Our page walk against the CPU's own: same address, same fault, same accessed and dirty bits, for any tables."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.addresses import GuestPhysical, GuestVirtual
from core.cpu.context import Gpr
from core.cpu.faults import GuestFault, Vector
from core.cpu.probes import Halted
from core.memory.onlooker import attempts
from core.memory.walk import Access, Paging, translate, walk
from tests.core.cpu.rig import CODE, MEMORY, Rig

DIRECTORY, LOW_TABLE, TABLE = 0x20000, 0x21000, 0x22000
TARGET = GuestVirtual(0x0040_3120)  # second directory entry, fourth table entry
FRAME = 0x30000
PE_PG, WP, PSE = 0x8000_0011, 0x1_0000, 0x10
READ, WRITE = bytes.fromhex("a120314000"), bytes.fromhex("a320314000")  # mov eax, [TARGET]; mov [TARGET], eax

_flags = st.integers(0, 0x7F).map(lambda bits: bits & 0x67)  # P RW US A D
_entries = st.tuples(_flags, st.booleans(), st.sampled_from([FRAME, FRAME + 0x1000, 0x0900_0000]))
_directories = st.tuples(_flags, st.booleans(), st.sampled_from([0, 0, 1 << 21]))  # a large page's reserved bit


class Trapper:
    """Stops at the first page fault and keeps it."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.fault: tuple[int, int] | None = None

    def exception(self, vector: int, error_code: int, software: bool) -> None:
        state = self.rig.cpu.state
        assert vector == Vector.PF
        self.fault = state.error_code, int(state.cr[2]) & 0xFFFF_FFFF
        self.rig.cpu.end = 0

    def port_read(self, port: int, size: int) -> int:
        return 0

    def port_write(self, port: int, size: int, value: int) -> None: ...

    def cpuid(self, leaf: int, subleaf: int) -> tuple[int, int, int, int]:
        return 0, 0, 0, 0

    def timestamp(self) -> int:
        return 0

    def sysenter(self) -> None: ...

    def syscall(self) -> None: ...

    def memory_read(self, address: int, size: int) -> int:
        return (1 << 8 * size) - 1

    def memory_write(self, address: int, size: int, value: int) -> None: ...


def prepared(directory: tuple[int, bool, int], table: tuple[int, bool, int]) -> Rig:
    """Tables with the given entries for TARGET; everything below 1 MiB is mapped one to one for everybody."""
    rig = Rig()
    for page in range(MEMORY >> 12):
        rig.write(LOW_TABLE + 4 * page, page << 12 | 7, 4)
    rig.write(DIRECTORY, LOW_TABLE | 7, 4)
    flags, large, reserved = directory
    rig.write(DIRECTORY + 4, (reserved if large else TABLE) | flags | large << 7, 4)
    rig.write(TABLE + 4 * 3, table[0] | table[2], 4)
    rig.write(FRAME + 0x120, 0x1122_3344, 4)
    return rig


@given(_directories, _entries, st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_any_walk_is_the_cpus(
    directory: tuple[int, bool, int], table: tuple[int, bool, int], write: bool, user: bool, protect: bool, pse: bool
) -> None:
    ours, theirs = prepared(directory, table), prepared(directory, table)
    paging = Paging(PE_PG | protect * WP, DIRECTORY, pse * PSE)

    try:
        reached: int | None = translate(ours.memory.physical, paging, TARGET, Access(write, user))
        fault = None
    except GuestFault as raised:
        reached, fault = None, (raised.error_code, raised.address)

    trapper = Trapper(theirs)
    theirs.cpu.connect(trapper)
    theirs.memory.physical.write(GuestPhysical(CODE), (WRITE if write else READ) + b"\xeb\xfe")
    theirs.enter(3 if user else 0)
    theirs.guest.set_reg(Gpr.EAX, 0xCAFE_F00D)
    theirs.guest.set_cr(4, paging.cr4)
    theirs.guest.set_cr(3, paging.cr3)
    theirs.guest.set_cr(0, paging.cr0)
    theirs.cpu.end = 1
    assert theirs.cpu.run() is Halted.BUDGET

    assert trapper.fault == fault
    for entry in (DIRECTORY + 4, TABLE + 4 * 3):
        assert ours.read(entry) == theirs.read(entry), hex(entry)
    if reached is not None and reached + 4 <= MEMORY:
        expected = 0xCAFE_F00D if write else ours.read(reached)
        found = theirs.read(reached) if write else theirs.guest.reg(Gpr.EAX)
        assert found == expected


def test_a_walk_tells_every_entry_that_it_met() -> None:
    rig = prepared((7, False, 0), (7, False, FRAME))
    found = walk(rig.memory.physical, Paging(PE_PG, DIRECTORY, 0), TARGET, Access())
    assert [(entry.level, entry.address) for entry in found.entries] == [(2, DIRECTORY + 4), (1, TABLE + 12)]
    assert found.physical == FRAME + 0x120


def test_looking_changes_nothing() -> None:
    rig = prepared((7, False, 0), (7, False, FRAME))
    walk(rig.memory.physical, Paging(PE_PG, DIRECTORY, 0), TARGET, Access(write=True))
    assert rig.read(TABLE + 12) == FRAME | 7


def test_a_write_across_a_page_border_stores_nothing_if_the_second_page_is_missing() -> None:
    rig = prepared((7, False, 0), (7, False, FRAME))
    paging = Paging(PE_PG, DIRECTORY, 0)
    try:
        rig.memory.write(paging, (TARGET & ~0xFFF) + 0xFFE, b"abcd")
    except GuestFault as fault:
        raised = fault.address
    else:
        raised = None
    assert raised == 0x0040_4000
    assert rig.read(FRAME + 0xFFE, 2) == 0


def test_an_onlooker_is_told_of_a_reserved_bit() -> None:
    rig = prepared((7, True, 1 << 21), (0, False, FRAME))
    said = attempts(rig.memory.physical, Paging(PE_PG, DIRECTORY, PSE), TARGET)
    assert len(said) == 4
    assert all(each.error_code is not None and each.error_code & 8 and "reserved" in each.why for each in said)
