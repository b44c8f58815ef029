"""What a lesson may ask about VMs as data: how many there are, what is kept of them, how far one has come.

As other predicates, told apart by their keys: ``{ diverged_from = "image", at_most = 0 }``, ``{ snapshots = 1 }``,
``{ clock_behind = true }``, ``{ vms = 2 }``, ``{ vm = "B", console_contains = "hi" }``. Snapshots count that were taken
since this power-on.
"""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from lessons.asking import Asking
from lessons.laboratory import Evidence
from lessons.names import AtLeastOne, Count, Letter, Text
from lessons.part import broken_rule


class Diverged(Asking):
    """In so many pages and sectors the selected VM differs from its image, or from the newest snapshot."""

    diverged_from: Literal["image", "snapshot"]
    at_least: Count | None = None
    at_most: Count | None = None
    sectors_at_least: Count | None = None
    sectors_at_most: Count | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Diverged:
        if (self.at_least, self.at_most, self.sectors_at_least, self.sectors_at_most) == (None, None, None, None):
            raise broken_rule("asks nothing of the divergence", "Add at_least, at_most or the same of sectors.")
        return self

    @property
    def _other(self) -> str:
        return "its image" if self.diverged_from == "image" else "the newest snapshot"

    @property
    def asked(self) -> str:
        parts = [
            f"{_between(least, most)} {what}"
            for what, least, most in (
                ("pages", self.at_least, self.at_most),
                ("sectors", self.sectors_at_least, self.sectors_at_most),
            )
            if (least, most) != (None, None)
        ]
        return f"The VM differs from {self._other} in {' and '.join(parts)}"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        found = evidence.diverged(self.diverged_from)
        if found is None:
            return False, "No snapshot has been taken yet."
        holds = _within(found.pages, self.at_least, self.at_most)
        holds = holds and _within(found.sectors, self.sectors_at_least, self.sectors_at_most)
        return holds, f"The VM differs from {self._other} in {found.words}."


class SnapshotsKept(Asking):
    """So many snapshots, or more, have been taken since power-on."""

    snapshots: AtLeastOne

    @property
    def asked(self) -> str:
        return f"At least {self.snapshots} snapshot{'s' * (self.snapshots > 1)} taken"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        count = evidence.snapshots_kept
        if not count:
            return False, "No snapshot has been taken yet."
        return count >= self.snapshots, f"{count} snapshot{'s' * (count > 1)} taken since power-on."


class ClockBehind(Asking):
    """The selected VM's clock says less than the machine's, as after it was put back."""

    clock_behind: bool

    @property
    def asked(self) -> str:
        return f"The VM's clock {'is behind' if self.clock_behind else 'goes with'} the machine's"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        now = evidence.snapshot
        said = f"The VM's clock says {now.time:,}, the machine's {now.machine_time:,}."
        return (now.time < now.machine_time) == self.clock_behind, said


class VmCount(Asking):
    """So many VMs share the machine."""

    vms: AtLeastOne

    @property
    def asked(self) -> str:
        return f"The machine has {self.vms} VM{'s' * (self.vms > 1)}"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        letters = [vm.letter for vm in evidence.snapshot.vms]
        return len(letters) == self.vms, f"VM{'s' * (len(letters) > 1)} of this machine: {', '.join(letters)}."


class OfVm(Asking):
    """That VM is looked at; or with `console_contains`, has lately written this to its console."""

    vm: Letter
    console_contains: Text | None = None

    @property
    def asked(self) -> str:
        if self.console_contains is None:
            return f"VM {self.vm} is looked at"
        return f"The console of VM {self.vm} shows “{self.console_contains.strip()}”"

    def _look(self, evidence: Evidence) -> tuple[bool, str]:
        now = evidence.snapshot
        if self.console_contains is None:
            return now.vm == self.vm, f"VM {now.vm} is looked at."
        vm = next((each for each in now.vms if each.letter == self.vm), None)
        if vm is None:
            return False, f"There is no VM {self.vm}."
        tail = vm.console_tail.decode(errors="replace")
        return self.console_contains in tail, f"The console of VM {self.vm} ends in “{tail.strip()[-40:]}”."


def _within(value: int, least: int | None, most: int | None) -> bool:
    return value >= (least or 0) and (most is None or value <= most)


def _between(least: int | None, most: int | None) -> str:
    if least is None:
        return f"at most {most}" if most else "no"
    return f"at least {least}" if most is None else f"{least} to {most}"
