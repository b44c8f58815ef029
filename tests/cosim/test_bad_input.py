"""Jumps and stores that no sane guest makes give it what the bare machine gives, and reach nothing of the monitor's."""

from __future__ import annotations

import struct

import pytest

from core.layout import TRANSLATION_CACHE, TRANSLATION_TABLE, TRANSLATION_VARIABLES
from core.vmm import kinds_for
from tests.cosim.equality import MEMORY, Pair
from tests.cosim.random_programs import SCRATCH, build

PAIR = Pair()
BEYOND, REGION = 0x0100_0000, 0xFFC0_0000
VARIABLES, TABLE, CACHE = TRANSLATION_VARIABLES, TRANSLATION_TABLE, TRANSLATION_CACHE
END = MEMORY


def _u32(value: int) -> bytes:
    return struct.pack("<I", value & 0xFFFF_FFFF)


def jump(target: int) -> bytes:
    """mov eax, target; jmp eax."""
    return b"\xb8" + _u32(target) + b"\xff\xe0"


def store(at: int, value: int = 0x55AA) -> bytes:
    """mov dword [at], value."""
    return b"\xc7\x05" + _u32(at) + _u32(value)


def in_scratch(offset: int, code: bytes) -> bytes:
    """Put up to eight bytes of code at SCRATCH + offset."""
    code = code.ljust(8, b"\x90")
    return store(SCRATCH + offset, int.from_bytes(code[:4], "little")) + store(
        SCRATCH + offset + 4, int.from_bytes(code[4:8], "little")
    )


CASES = {
    "a jump beyond memory": [jump(BEYOND)],
    "a call beyond memory": [b"\xb8" + _u32(BEYOND + 0x100) + b"\xff\xd0"],
    "a jump to where no page is": [jump(0x0180_0000)],
    "an instruction that begins in the last bytes of memory": [store(END - 4, 0x00B8_9090), jump(END - 2)],
    "an instruction that begins in the last bytes of the monitor's region": [jump(0xFFFF_FFFE)],
    "a jump into the middle of an instruction": [in_scratch(0, b"\xb8\x40\x40\xcc\xcc"), jump(SCRATCH + 1)],
    "overlapping instructions, twice": [
        in_scratch(0, b"\xb8\x40\x40\xcc\xcc"),
        jump(SCRATCH),
        jump(SCRATCH + 1),
        jump(SCRATCH),
    ],
    "a jump into the shadow GDT": [jump(REGION)],
    "a jump to the variables": [jump(VARIABLES)],
    "a jump to the lookup table": [jump(TABLE), jump(TABLE + 0x3_FFFF)],
    "a jump into the cache": [jump(CACHE), jump(CACHE + 0x10), jump(CACHE + 0x90), jump(CACHE + 0x1000)],
    "a store to the variables": [b"\xfa", store(VARIABLES, 0x200), b"\x90\x90", b"\xfb\x90"],
    "stores all over the variables": [store(VARIABLES + at, 0xFFFFFFFF) for at in range(0, 0x50, 4)] + [b"\xfb\x90"],
    "a push to the variables": [b"\x89\xe5\xbc" + _u32(VARIABLES + 4) + b"\x68\0\x02\0\0\x89\xec", b"\x0f\x20\xc0"],
    "a copy to the variables": [
        b"\xbe" + _u32(SCRATCH) + b"\xbf" + _u32(VARIABLES) + b"\xb9\x20\0\0\0\xfc\xf3\xa5",
        b"\x0f\x20\xd8",
    ],
    "a store to the lookup table": [store(TABLE), b"\xe8\0\0\0\0\x58"],
    "a store to the cache": [store(CACHE), store(CACHE + 0x40), store(CACHE + 0x200), jump(CACHE)],
    "a store to the shadow GDT": [store(REGION + 8), b"\x66\xb8\x10\0\x8e\xd8"],
    "a jump to itself that an interrupt must end": [b"\xfb\xeb\xfe"],
}  # fmt: skip


@pytest.mark.parametrize("paging", [False, True], ids=["flat", "paged"])
@pytest.mark.parametrize("name", CASES)
def test_it_gives_what_the_bare_machine_gives(name: str, paging: bool) -> None:
    built = build(CASES[name], 20, paging=paging)
    assert PAIR.differences(built, ["translation"]) == []


@pytest.mark.parametrize("kind", list(kinds_for()))
def test_an_interrupt_that_cannot_be_delivered_ends_the_run_there_and_then(kind: str) -> None:
    """LEAVE takes the stack to address 4; the timer's interrupt then finds none, nor do the faults that follow."""
    PAIR.session.load(build([b"\xc9"], 3), kind)
    PAIR.session.run(4_000)
    last = PAIR.session.traps.last
    assert last is not None
    assert "triple fault" in last.outcome
    assert PAIR.session.executed == last.time


@pytest.mark.parametrize(("last", "where"), [(0x90909090, BEYOND), (0x00B89090, BEYOND - 2)])
def test_code_that_runs_off_the_end_of_memory_faults_where_it_does(last: int, where: int) -> None:
    """Not compared with bare: there the emulated CPU reports the start of its own block (core/cpu/FINDINGS.md)."""
    program = build([store(BEYOND - 4, last), jump(BEYOND - 4)], None)
    PAIR.session.load(program, "translation")
    PAIR.session.run_until(lambda trap: trap.vector == 6, 10_000)
    assert PAIR.session.traps.last is not None
    assert (PAIR.session.traps.last.vector, PAIR.session.traps.last.pc) == (6, where)
