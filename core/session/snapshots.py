"""VMs at an instant: taken, kept on a shelf, gone back to, cloned.

What a snapshot of a VM holds, and what not, is in `core.vm_snapshots`. The shelf is the person's and no part of the
machine: it stays when a machine is powered off, and when one steps back.
"""

from __future__ import annotations

from core import narration
from core.session.host import Host
from core.session.introspection import Introspection
from core.session.vms import Vms
from core.timeline.actions import RevertVm
from core.vm_snapshots.divergence import Diverged, between, from_image
from core.vm_snapshots.shelf import KeptSnapshot, Shelf
from core.vm_snapshots.vm_snapshot import VmSnapshot


class Snapshots:
    """Of the VMs on `host`; `shelf` holds those that the person keeps. A letter left out is the selected VM's."""

    def __init__(self, host: Host, seen: Introspection, vms: Vms) -> None:
        self._host, self._seen, self._vms = host, seen, vms
        self.shelf = Shelf()

    def now(self, letter: str = "") -> VmSnapshot:
        """A VM as it is now; nothing changes by it."""
        host = self._host
        return host.on.hypervisor.snapshot(host.vm_named(letter or host.selected).spec.letter)

    def take(self, name: str = "", letter: str = "") -> KeptSnapshot:
        """Keep a VM as it is now on the shelf."""
        kept = self.shelf.add(name, self.now(letter), self._seen.machine_time)
        one = kept.snapshot
        self._host.sentence = narration.of_snapshot(kept.name, one.letter, one.time, kept.diverged.words)
        return kept

    def revert(self, name: str, letter: str = "") -> None:
        """Put a VM, by default the one that it was taken of, back to the instant of a snapshot."""
        host, snapshot = self._host, self.shelf.named(name).snapshot
        letter = host.vm_named(letter or snapshot.letter).spec.letter
        host.do(RevertVm(letter, snapshot))
        host.notice_put_back()
        host.select(letter)
        host.stop = None
        next_one = self._seen.next_instruction()
        host.sentence = narration.of_revert(letter, name, snapshot.time, next_one, self._seen.pc)

    def clone(self, name: str, kind: str = "", *, weight: int = 1, cap: int | None = None) -> str:
        """One more VM that goes on from a snapshot, under its kind or another; its letter."""
        return self._vms.add_from(self.shelf.named(name).snapshot, kind, weight=weight, cap=cap)

    def diverged(self, letter: str = "") -> Diverged:
        """How far a VM has come from its image and from each snapshot of one like it; all of its memory is compared."""
        now = self.now(letter)
        like = [each for each in self.shelf.kept if each.snapshot.program.image == now.program.image]
        return Diverged(
            now.letter, now.time, from_image(now), tuple((each.name, between(now, each.snapshot)) for each in like)
        )
