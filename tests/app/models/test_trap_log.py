"""The log of traps as columns."""

from __future__ import annotations

from app.models.trap_log import TrapLog
from app.views.trap_marks import Marks
from tests.app.builders import trap


def test_times_ascend_though_a_vm_was_put_back_and_another_began_later() -> None:
    log = TrapLog()
    log.append(
        (
            trap(0, time=900, machine_time=900),
            trap(1, time=100, machine_time=950),  # reverted in between
            trap(2, vm="B", time=3, machine_time=1_000),
        )
    )
    marks = Marks.of(log, None)
    assert marks.times.tolist() == [900, 950, 1_000]
    assert marks.within(940, 1_100) == slice(1, 3)
