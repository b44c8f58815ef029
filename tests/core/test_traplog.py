"""The record of departures: what is counted, and whose the newest is."""

from __future__ import annotations

from core.traplog import TrapLog
from tests.app.builders import trap


def test_the_newest_of_a_vm_is_found_behind_those_of_the_others() -> None:
    log = TrapLog()
    assert log.last_of("A") is None
    for number, vm in enumerate("ABABB"):
        log.append(trap(number, vm=vm))
    found = log.last_of("A"), log.last_of("B")
    assert [each.number for each in found if each is not None] == [2, 4]
    assert log.last_of("A", most=2) is None
    assert log.last_of("C") is None
