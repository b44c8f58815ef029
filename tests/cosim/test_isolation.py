"""A hostile guest reads and writes no byte outside its frames, whatever its page tables, descriptors and I/O say.

The machine beside it is filled with a pattern: another VM's memory, the host's, every free frame. After the hostile
guest has run, all of that is unchanged, and nowhere in its own memory is the pattern.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.addresses import PAGE_SHIFT, PAGE_SIZE
from core.layout import MACHINE_MEMORY, MIB
from core.session import Session
from core.vmm import kinds_for
from tests.bench import loops
from tests.cosim.random_programs import build, frame, paged_programs

HOSTED = [name for name, kind in kinds_for().items() if kind.hosted]
SECRET = bytes.fromhex("a5e7c25e")
LOOT = 0x210000
TABLE_1, DIRECTORY, WINDOW = 0x402000, 0x400000, 0x480000
GDT = frame(True).symbols["gdt"]
MEMORY = 8 * MIB
LIMIT = 20_000


@pytest.fixture(scope="module")
def sessions() -> Iterator[dict[str, Session]]:
    labs = {kind: Session(recording=False) for kind in HOSTED}
    yield labs
    for lab in labs.values():
        lab.close()


def store(at: int, value: int) -> bytes:
    """mov dword [at], value."""
    return b"\xc7\x05" + struct.pack("<II", at, value & 0xFFFF_FFFF)


def take(at: int, loot: int) -> bytes:
    """mov eax, [at]; mov [loot], eax."""
    return b"\xa1" + struct.pack("<I", at & 0xFFFF_FFFF) + b"\xa3" + struct.pack("<I", LOOT + 4 * loot)


def reload() -> bytes:
    """mov eax, cr3; mov cr3, eax."""
    return b"\x0f\x20\xd8\x0f\x22\xd8"


flags = st.sampled_from([3, 7, 0x67, 0xE7, 0x1E7])
frames = st.integers(0, (MACHINE_MEMORY >> PAGE_SHIFT) + 64)  # of the machine, as if the guest knew where to look
loots = st.integers(0, 255)
offsets = st.integers(0, PAGE_SIZE - 4)
pages = st.integers(0, 15)
slots = st.integers(2, 1021)  # of the page directory
anywhere = st.one_of(st.integers(0xFFC0_0000, 0xFFFF_FFF0), st.integers(MEMORY, 0xFFFF_FFF0))
ports = st.one_of(st.integers(0, 0x3FF), st.sampled_from([0x1F0, 0x1F7, 0xF4, 0xCF8, 0xCFC]))

aim = st.builds(  # a page of the window at a frame of the machine, then INVLPG
    lambda page, number, bits: (
        store(TABLE_1 + 4 * (0x80 + page), number << PAGE_SHIFT | bits)
        + b"\x0f\x01\x3d"
        + struct.pack("<I", WINDOW + (page << PAGE_SHIFT))
    ),
    pages,
    frames,
    flags,
)
read = st.builds(lambda page, offset, loot: take(WINDOW + (page << PAGE_SHIFT) + offset, loot), pages, offsets, loots)
write = st.builds(lambda page, offset: store(WINDOW + (page << PAGE_SHIFT) + offset, 0xBAD0BAD0), pages, offsets)
table = st.builds(  # a frame of the machine as page table, or as a large page, and an address below it
    lambda slot, number, bits: store(DIRECTORY + 4 * slot, number << PAGE_SHIFT | bits) + reload(), slots, frames, flags
)
below = st.builds(lambda slot, offset, loot: take(slot << 22 | offset, loot), slots, offsets, loots)
below_write = st.builds(lambda slot, offset: store(slot << 22 | offset, 0xBAD0BAD0), slots, offsets)
root = st.builds(lambda number: b"\xb8" + struct.pack("<I", number << PAGE_SHIFT) + b"\x0f\x22\xd8", frames)
beyond = st.builds(take, anywhere, loots)
beyond_write = st.builds(lambda at: store(at, 0xBAD0BAD0), anywhere)
descriptor = st.builds(  # 0x30 with this base, loaded into FS
    lambda base: (
        store(GDT + 0x30, (base & 0xFFFF) << 16 | 0xFFFF)
        + store(GDT + 0x34, base & 0xFF00_0000 | base >> 16 & 0xFF | 0x00CF_9300)
        + b"\x66\xb8\x30\x00\x8e\xe0"
    ),
    st.integers(0, 0xFFFF_FFFF),
)
through = st.builds(
    lambda at, loot: b"\x64\xa1" + struct.pack("<I", at) + b"\xa3" + struct.pack("<I", LOOT + 4 * loot),
    st.integers(0, 0xFFFF_FFFF),
    loots,
)
io = st.builds(
    lambda port, value, op: b"\xb8" + struct.pack("<I", value) + b"\x66\xba" + struct.pack("<H", port) + op,
    ports,
    st.integers(0, 0xFFFF_FFFF),
    st.sampled_from([b"\xee", b"\xef", b"\xec", b"\xed"]),
)
string_io = st.builds(  # mov ecx, 3; mov edi, at; mov esi, at; mov dx, port; rep insd or outsd
    lambda port, at, op: (
        b"\xb9\x03\0\0\0\xbf" + struct.pack("<I", at) + b"\xbe" + struct.pack("<I", at)
        + b"\x66\xba" + struct.pack("<H", port) + op
    ),
    ports,
    st.one_of(anywhere, pages.map(lambda page: WINDOW + (page << PAGE_SHIFT))),
    st.sampled_from([b"\xf3\x6d", b"\xf3\x6f"]),
)  # fmt: skip
hostile = st.one_of(
    aim, aim, read, read, write, write, table, table, below, below_write, root, beyond, beyond_write, descriptor,
    through, io, string_io,
)  # fmt: skip
programs = st.one_of(st.lists(hostile, min_size=4, max_size=24), paged_programs.map(lambda program: program[0]))


def aimed(number: int) -> list[bytes]:
    """The plain attack on one frame of the machine: show it, read it, write it; as a page, and as a large page."""
    return [
        store(TABLE_1 + 0x200, number << PAGE_SHIFT | 7) + b"\x0f\x01\x3d" + struct.pack("<I", WINDOW),
        take(WINDOW, 0),
        store(WINDOW, 0xBAD0BAD0),
        store(DIRECTORY + 8, number << PAGE_SHIFT & 0xFFC0_0000 | 0xE7) + reload(),
        take(2 << 22, 1),
        store(2 << 22, 0xBAD0BAD0),
        store(DIRECTORY + 12, number << PAGE_SHIFT | 7) + reload(),
        take(3 << 22, 2),
        store(3 << 22, 0xBAD0BAD0),
    ]


@pytest.mark.parametrize("kind", HOSTED)
@given(pieces=programs)
@settings(max_examples=10)
@example(pieces=aimed(0x100))  # where the first VM's memory begins
@example(pieces=aimed(0x1200))
@example(pieces=aimed(0x80))
def test_a_hostile_guest_reads_and_writes_nothing_outside_its_frames(
    sessions: dict[str, Session], kind: str, pieces: list[bytes]
) -> None:
    session = sessions[kind]
    session.load(loops.program(loops.ENDLESS), kind)
    session.vms.pause("A")
    assert session.vms.add(build(pieces, None, paging=True), kind, memory=MEMORY) == "B"
    owners = np.array(session.machine.frames.owners())
    # monitors may make frames of the free ones theirs as they go, so these hold no pattern but must stay as they are
    outside = ~np.isin(owners, ["VM B", "monitor of B", ""])
    ram = session.machine.ram.array.reshape(-1, PAGE_SIZE)
    secret = np.frombuffer(SECRET * (PAGE_SIZE // 4), np.uint8)
    ram[np.isin(owners, ["VM A", "host"])] = secret
    before = ram[outside].copy()
    session.select("B")
    session.run(LIMIT)

    unchanged = np.array_equal(ram[outside], before)
    assert unchanged
    now = np.array(session.machine.frames.owners())
    assert np.count_nonzero(ram[now == ""]) == 0
    own = session.vmm.physical.read(0, MEMORY)  # type: ignore[arg-type]
    for turn in range(4):
        assert SECRET[turn:] + SECRET[:turn] not in own
    assert not set(np.unique(now[owners == "VM A"])) - {"VM A"}
