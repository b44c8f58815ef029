"""The programs that a kernel carries: found in its image, with their own symbols, lines and sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.guests.catalog import load_program
from core.guests.elf import MAGIC, load_elf
from core.session import Session

PEBBLE = load_program("pebble")
FIRST = 0x4000_0000


def stopped_in(program: str, symbol: str, argument: str = "") -> Session:
    session = Session(recording=False)
    session.load(PEBBLE, "bare", command_line=f"run={program} {argument}".strip())
    there = PEBBLE.programs[program].symbols[symbol]
    for _ in range(10):  # another program may have code at the same address
        session.run_to(there, 5_000_000)
        if session.code().name_of(session.pc) == f"{program}!{symbol}":
            return session
    raise AssertionError(f"{symbol} of {program} was never reached")


def test_every_program_that_pebble_can_run_is_found_with_its_sources() -> None:
    assert sorted(PEBBLE.programs) == [
        "bench", "counter", "fault", "forks", "greedy", "hello", "init", "modules", "pages", "primes", "shell",
        "writer",
    ]  # fmt: skip
    for name, program in PEBBLE.programs.items():
        assert program.entry == FIRST
        assert f"user/{name}.c" in [source.name for source in program.sources]


def test_an_address_space_shows_the_kernels_code_and_one_programs() -> None:
    seen = PEBBLE.seen_from("forks")
    forks = PEBBLE.programs["forks"]
    assert seen.name_of(forks.symbols["main"]) == "forks!main"
    assert seen.name_of(PEBBLE.symbols["trap"]) == "trap"
    assert seen.line_at(FIRST + 0x1A) == forks.line_at(FIRST + 0x1A)
    assert PEBBLE.line_at(FIRST + 0x1A) is None
    assert PEBBLE.seen_from("nothing of the kind") is PEBBLE


@pytest.mark.parametrize("program", ["primes", "forks"])
def test_the_program_that_runs_is_known_by_its_address_space(program: str) -> None:
    session = stopped_in(program, "main")
    listed = {line.address: line for line in session.snapshot().listing}[session.pc]
    source = next(each for each in session.code().sources if each.name == f"user/{program}.c")
    assert (listed.symbol, listed.file) == (f"{program}!main", source.name)
    assert source.text.splitlines()[listed.line - 2] == "int main(const char *argument)"


def test_in_the_kernel_the_program_that_called_it_is_still_known() -> None:
    session = stopped_in("primes", "main")
    session.run_to(PEBBLE.symbols["system_call"], 100_000)
    assert session.code() is PEBBLE.seen_from("primes")
    assert session.code().name_of(session.pc) == "system_call"


def test_a_damaged_program_is_left_out_and_the_kernel_is_still_a_guest() -> None:
    image = Path(PEBBLE.path).read_bytes()
    at = PEBBLE.symbols["program_forks"]
    rodata = next(one for one in PEBBLE.segments if one.address <= at < one.address + one.size)
    start = image.index(rodata.data) + at - rodata.address
    damaged = image[: start + len(MAGIC)] + bytes(60) + image[start + len(MAGIC) + 60 :]
    found = load_elf(damaged, "pebble", "pebble.elf")
    assert sorted({*PEBBLE.programs} - {*found.programs}) == ["forks"]
    assert found.symbols == PEBBLE.symbols
