"""What a lesson may ask about VMs that share the machine: what each got of it, and how well the whole was used.

As other predicates, told apart by their keys: ``{ share_of = "B", at_least = 40 }``, ``{ taken_from = "A" }``,
``{ machine = "busy", at_most = 50 }``, ``{ machine = "clock", at_least = 1000000 }``, ``{ all_ended = true }``.
"""

from __future__ import annotations

from typing import Literal

from core.layout import MIB
from core.snapshot import Snapshot, VmSummary
from core.translations import percent
from lessons.asking import Asking
from lessons.laboratory import Evidence
from lessons.names import Count, Letter


class Bounded(Asking):
    """Base of those that measure something: from `at_least` to `at_most`, of which either may be left out."""

    at_least: Count | None = None
    at_most: Count | None = None

    def _within(self, value: float) -> bool:
        return value >= (self.at_least or 0) and (self.at_most is None or value <= self.at_most)

    def _bounds(self, unit: str) -> str:
        least, most = self.at_least, self.at_most
        if least == most and least is not None:
            return f"{least:,}{unit}"
        if most is None:
            return f"at least {least or 0:,}{unit}"
        return f"at most {most:,}{unit}" if least is None else f"{least:,} to {most:,}{unit}"


class ShareOf(Bounded):
    """A VM has executed so many percent of all instructions since power-on."""

    share_of: Letter

    @property
    def asked(self) -> str:
        return f"VM {self.share_of} has had {self._bounds(' %')} of the CPU"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        vm = _vm(evidence, self.share_of)
        if vm is None or vm.share is None:
            return False, f"There is no VM {self.share_of}." if vm is None else "Nothing has run yet."
        return self._within(100 * vm.share), f"VM {vm.letter} has had {percent(vm.share)} of the CPU."


class TakenFrom(Bounded):
    """The hypervisor has taken so many MiB of memory from a VM."""

    taken_from: Letter

    @property
    def asked(self) -> str:
        return f"Taken from VM {self.taken_from}: {self._bounds(' MiB')}"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        vm = _vm(evidence, self.taken_from)
        if vm is None:
            return False, f"There is no VM {self.taken_from}."
        taken = vm.taken_back / MIB
        return self._within(taken), f"{taken:.0f} MiB are taken from VM {vm.letter}, {vm.memory / MIB:.0f} are its own."


class OfMachine(Bounded):
    """So many percent of its time the machine was busy; or its clock has come so far."""

    machine: Literal["busy", "clock"]

    @property
    def asked(self) -> str:
        if self.machine == "busy":
            return f"The machine was busy for {self._bounds(' %')} of its time"
        return f"The machine's clock says {self._bounds('')}"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        now = evidence.snapshot
        if self.machine == "busy":
            return self._within(100 * busy(now)), f"The machine was busy for {percent(busy(now))} of its time."
        return self._within(now.machine_time), f"The machine's clock says {now.machine_time:,}."


class AllEnded(Asking):
    """The run of every VM's guest is over, or it is not."""

    all_ended: bool

    @property
    def asked(self) -> str:
        return "Every guest has ended" if self.all_ended else "Some guest has not ended"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        going = [vm.letter for vm in evidence.snapshot.vms if vm.end is None]
        said = f"Not ended: VM {', '.join(going)}." if going else "Every guest has ended."
        return (not going) == self.all_ended, said


def busy(now: Snapshot) -> float:
    """The part of the machine's time in which some VM executed, 0 to 1."""
    return sum(vm.executed for vm in now.vms) / now.machine_time if now.machine_time else 0.0


def _vm(evidence: Evidence, letter: str) -> VmSummary | None:
    return next((vm for vm in evidence.snapshot.vms if vm.letter == letter), None)
