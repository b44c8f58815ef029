"""What a kind says of its rings is where its guest really runs."""

from __future__ import annotations

import pytest

from core.events import Ring
from core.guests.catalog import load_program
from core.session import Session
from core.stage import Stage, Who
from core.vmm import kinds_for


def who_runs(stage: Stage, ring: Ring) -> Who:
    return next(each.who for each in stage.rings if each.ring is ring)


@pytest.mark.parametrize("kind", list(kinds_for()))
def test_the_cpu_is_where_the_stage_puts_kernel_and_programs(kind: str) -> None:
    session = Session(recording=False)
    session.load(load_program("rings"), kind)
    assert who_runs(session.snapshot().stage, session.ring) is Who.KERNEL
    session.run_until(lambda trap: trap.ring_from is Ring.USER, limit=10_000)
    assert who_runs(session.snapshot().stage, session.traps.since(0, 10_000)[-1].ring_from) is Who.PROGRAMS
    session.close()
