"""World switches: one VM's CPU is put away and another's brought in its place, with all that goes by the VM in it.

While the machine runs, a switch empties the TLB, which knows no VM, and is recorded as a departure. While it stands
still, one VM is *shown*: its state is in the CPU, where it can be read and changed; that costs no switch. Not modelled:
several CPUs. (Bugnion et al., TOCS 2012, §3.2.)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from core.cpu.decode import spell
from core.cpu.world import World
from core.events import RINGS, Cause, Ring, Trap
from core.machine import Machine
from core.scheduler import Scheduler
from core.traplog import TrapLog
from core.vm import Vm


class Worlds:
    """Whose world is in the CPU of `machine`.

    shown  the VM whose state is there; None only while there is none, or one is being made
    ran    the VM that ran last, while it is still there
    """

    def __init__(self, machine: Machine, log: TrapLog, scheduler: Scheduler) -> None:
        self._machine, self._log, self._scheduler = machine, log, scheduler
        self.shown: Vm | None = None
        self.ran: Vm | None = None
        self._tlb_of: Vm | None = None  # whose translations the TLB holds

    # -- while the machine stands still

    def show(self, vm: Vm) -> None:
        """Put this VM's state into the CPU."""
        if self.shown is vm:
            return
        self._put_away()
        world = vm.interposer.away
        assert world is not None, "a VM that is not shown has been put away"
        vm.interposer.away = None
        self._connect(vm, world)
        self.shown = vm

    @contextmanager
    def showing(self, vm: Vm) -> Iterator[None]:
        """Show this VM for a moment."""
        before = self.shown
        self.show(vm)
        try:
            yield
        finally:
            if before is not None:
                self.show(before)

    def load_fresh(self, ring: npt.NDArray[np.uint64]) -> None:
        """Nobody's state, as at power-on, for a VM that is to be made; `ring` takes its program counters."""
        self._put_away()
        self._machine.cpu.load_world(self._machine.power_on_world)
        self._machine.cpu.write_pcs_to(ring)

    def made(self, vm: Vm) -> None:
        """What is in the CPU is this VM's state now."""
        self._machine.cpu.connect(vm.interposer)
        self.shown = vm

    def put_back(self, world: World) -> None:
        """Everything else of a former moment is back in place: put the CPU of then, too."""
        assert self.shown is not None, "a VM is always shown"
        self._connect(self.shown, world)

    def _connect(self, vm: Vm, world: World) -> None:
        cpu = self._machine.cpu
        cpu.load_world(world)
        cpu.write_pcs_to(vm.ring)
        cpu.breakpoints = vm.breakpoints.wanted
        cpu.connect(vm.interposer)

    def _put_away(self) -> None:
        if self.shown is not None:
            self.shown.interposer.away = self._machine.cpu.save_world()
            self.shown = None

    def forget(self, vm: Vm) -> None:
        """It is no more; another is shown."""
        self.ran = None if self.ran is vm else self.ran
        self._tlb_of = None if self._tlb_of is vm else self._tlb_of

    def distrust_tlb(self) -> None:
        """A VM was made anew: whatever the TLB holds is of none."""
        self._tlb_of = None

    # -- while it runs

    def switch_to(self, vm: Vm) -> None:
        """The world switch: one VM's CPU away, the other's in its place, the TLB emptied, and the whole recorded."""
        old = self.ran
        if old is None or old is vm:
            self.show(vm)
        else:
            self.show(old)
            why = self._scheduler.why_away(old.spec.letter)
            left = self._standing(old)
            self.show(vm)
            ring = old.vmm.io_ring
            vm.interposer.keep(
                left._replace(
                    ring_to=Ring.KERNEL if ring is None else ring,
                    ring_after=RINGS[self._machine.cpu.cpl],
                    outcome=f"put {old.spec.letter} aside ({why}) and let {vm.spec.letter} run",
                    pc_after=vm.vmm.guest.pc,
                )
            )
        self.ran = vm
        if self._tlb_of is not vm:
            self._machine.cpu.flush_tlb()
            self._tlb_of = vm

    def _standing(self, vm: Vm) -> Trap:
        """Where the VM that is shown stands: the half of a world switch that is known before it."""
        guest = vm.vmm.guest
        pc, real = guest.pc, RINGS[self._machine.cpu.cpl]
        code = vm.vmm.linear.peek_code(guest.paging, pc)
        return Trap(
            number=self._log.count,
            time=vm.interposer.time,
            vm=vm.spec.letter,
            ring_from=real,
            believed=RINGS[guest.cpl],
            ring_to=real,
            ring_after=real,
            cause=Cause.WORLD_SWITCH,
            vector=None,
            error_code=None,
            pc=pc,
            instruction=spell(code, pc, guest.code_bits) if code else "",
            handler="hypervisor: scheduler",
            outcome="",
            pc_after=pc,
            machine_time=self._scheduler.state.time,
        )
