"""One VM among others, in short, for an onlooker: what runs in it, what it has, and whether it runs.

The hypervisor's own list of its VMs (Xen's `xl list`, and what `xentop` adds). Shares are measured, in instructions.
"""

from __future__ import annotations

from core.scheduler import Scheduler
from core.snapshot import VmState, VmSummary
from core.vm import Vm

TAIL = 200  # bytes of a console that a summary shows


def summary_of(vm: Vm, scheduler: Scheduler, memory: int, *, on_cpu: bool) -> VmSummary:
    """`memory`: bytes that are its own now; `on_cpu`: it ran last."""
    letter, schedule = vm.spec.letter, scheduler.state
    share = schedule.shares[letter]
    return VmSummary(
        letter=letter,
        guest=vm.spec.program.name,
        kind=vm.spec.kind.kind,
        state=_state(letter, scheduler, on_cpu=on_cpu),
        weight=share.weight,
        cap=share.cap,
        executed=vm.interposer.executed,
        share=share.executed / schedule.executed if schedule.executed else None,
        entitled=scheduler.entitled(letter),
        memory=memory,
        taken_back=vm.spec.memory - memory,
        end=vm.interposer.end,
        console_tail=bytes(vm.console[-TAIL:]),
        title=vm.spec.program.title,
        kind_title=vm.spec.kind.title,
    )


def _state(letter: str, scheduler: Scheduler, *, on_cpu: bool) -> VmState:
    share = scheduler.state.shares[letter]
    if share.ended:
        return VmState.ENDED
    if share.paused:
        return VmState.PAUSED
    if share.asleep:
        return VmState.HALTED
    if scheduler.capped(letter):
        return VmState.CAPPED
    return VmState.RUNNING if on_cpu else VmState.READY
