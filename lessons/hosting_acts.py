"""What a person can do in the VMs view, as acts of a lesson: one more VM, another weight, memory taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from core.guests.catalog import load_program
from core.layout import MIB
from core.scheduler import HEAVIEST
from lessons.acting import Acting, Target
from lessons.laboratory import Laboratory
from lessons.names import Count, Letter


class AddVm(Acting):
    """Power on one more VM beside the others."""

    add_vm: Target

    @property
    def words(self) -> str:
        return f"Add a VM with {Path(self.add_vm.guest).stem} under {self.add_vm.kind}"

    def perform(self, laboratory: Laboratory) -> None:
        laboratory.vms.add(load_program(self.add_vm.guest), self.add_vm.kind, disk=self.add_vm.start.read_disk())


class Weigh(Acting):
    """Give a VM another weight."""

    weight: Annotated[int, Field(ge=1, le=HEAVIEST)]
    of: Letter

    @property
    def words(self) -> str:
        return f"Set the weight of VM {self.of} to {self.weight}"

    def perform(self, laboratory: Laboratory) -> None:
        laboratory.vms.set_weight(self.of, self.weight)


class TakeBack(Acting):
    """Have so many MiB of a VM's memory taken back; 0 gives all of it back."""

    take_back: Count
    of: Letter

    @property
    def words(self) -> str:
        return f"Take {self.take_back} MiB back from VM {self.of}"

    @property
    def taken(self) -> int:
        """The same in bytes."""
        return self.take_back * MIB

    def perform(self, laboratory: Laboratory) -> None:
        laboratory.vms.balloon(self.of, self.taken)
