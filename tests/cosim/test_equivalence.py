"""Equivalence (Popek & Goldberg): what a guest can see is the same under every kind as on the bare machine."""

from __future__ import annotations

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from core.events import EndHow
from core.guests.catalog import load_program
from core.vmm import kinds_for
from tests.cosim.equality import Pair, visible
from tests.cosim.random_programs import build, paged_programs, programs

OTHERS = [kind for kind in kinds_for() if kind != "bare"]
EXAMPLES, SEEDS = 500, (1, 2)  # programs for each seed, with and without paging: 2,000. `ringside cosim` runs more
CLASSIC = "trap_emulate"  # each program runs under it, and under one of the others
another = st.sampled_from([kind for kind in OTHERS if kind != CLASSIC])
PAIR = Pair()
SESSION = PAIR.session


def differences(program: tuple[list[bytes], int | None], kind: str, *, paging: bool) -> list[str]:
    pieces, reload = program
    return [said for kind in (CLASSIC, kind) for said in PAIR.differences(build(pieces, reload, paging=paging), [kind])]


@pytest.mark.parametrize("start", SEEDS)
@pytest.mark.parametrize("paging", [False, True], ids=["flat", "paged"])
def test_random_programs_are_the_same_under_every_kind(paging: bool, start: int) -> None:
    @seed(start)
    @settings(max_examples=EXAMPLES)
    @given(paged_programs if paging else programs, another)
    def check(program: tuple[list[bytes], int | None], kind: str) -> None:
        assert differences(program, kind, paging=paging) == []

    check()


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("guest", ["hello", "rings", "privileged"])
def test_shipped_guests_are_the_same_under_every_kind(guest: str, kind: str) -> None:
    ends = []
    for each in ("bare", kind):
        SESSION.load(load_program(guest), each)
        SESSION.run(1_000_000)
        ends.append((SESSION.end, SESSION.executed, SESSION.time, SESSION.console))
    assert ends[0] == ends[1]
    assert ends[0][0] is not None
    assert (ends[0][0].how, ends[0][0].status) == (EndHow.EXIT, 0)


def test_the_hole_guest_is_right_on_bare_and_caught_by_the_documented_holes_under_trap_and_emulate() -> None:
    SESSION.load(load_program("hole"), "bare")
    SESSION.run(1_000_000)
    assert SESSION.end is not None
    assert SESSION.end.status == 0
    SESSION.load(load_program("hole"), "trap_emulate")
    SESSION.run(1_000_000)
    assert SESSION.end.status == 1
    assert SESSION.console.decode().splitlines() == [
        "PUSHF: shows interrupts on, though CLI turned them off",
        "POPF: silently ignored, interrupts are still off",
        "SGDT: shows another table than LGDT loaded",
        "SMSW: shows TS set, though CLTS cleared it",
        "MOV from CS: shows another ring than 0",
        "Something stands between me and the machine.",
    ]


@pytest.mark.parametrize("guest", ["rings", "privileged", "hole"])
@pytest.mark.parametrize("kind", list(kinds_for()))
def test_single_steps_are_one_run(guest: str, kind: str) -> None:
    """The first 700 instructions one by one, and at once."""
    program = load_program(guest)
    SESSION.load(program, kind)
    for _ in range(700):
        SESSION.step()
    stepped = visible(SESSION)
    SESSION.load(program, kind)
    SESSION.step(700)
    assert visible(SESSION) == stepped
