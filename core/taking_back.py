"""Resource control, tried out: half-way through a run, memory is taken from the guest, and it runs on to its end.

Popek & Goldberg ask that the hypervisor can take back what it gave; equivalence asks that the guest does not notice.
Both are measured here by a run with and a run without. Not tried: devices, and time, which the scheduler takes back at
every slice (`core.scheduler`).
"""

from __future__ import annotations

from dataclasses import dataclass

from core.account import Account
from core.addresses import PAGE_SIZE
from core.compare import Setting
from core.errors import RequestError
from core.layout import MIB
from core.session import Session

TAKEN = 4 * MIB


@dataclass(frozen=True, slots=True)
class TakenBack:
    """`taken` bytes were taken from the VM after `after` instructions; `brought_back` pages the guest then touched and
    got again; `unnoticed`: it ended at the same count, with the same console and status. `refused`: why nothing could
    be taken (then the others say nothing)."""

    taken: int = 0
    after: int = 0
    brought_back: int = 0
    unnoticed: bool = False
    refused: str = ""


def take_back(setting: Setting, kind: str, undisturbed: Account, console: bytes) -> TakenBack:
    """Try it on the run that came to `undisturbed` and left `console`."""
    session = Session(recording=False)
    try:
        setting.load_into(session, kind)
        half = undisturbed.instructions // 2
        session.run(half)
        try:
            session.vms.balloon(session.selected, TAKEN)
        except RequestError as refused:
            return TakenBack(refused=refused.problem)
        session.run(setting.limit - session.executed)
        reclaimer = session.vm.reclaimer
        assert reclaimer is not None, "memory was taken"
        same = session.executed == undisturbed.instructions and session.console == console
        return TakenBack(reclaimer.taken * PAGE_SIZE, half, reclaimer.state.brought_back, same)
    finally:
        session.close()
