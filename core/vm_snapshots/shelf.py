"""The snapshots that a person keeps, each under a name of its own.

They are no part of the machine: they stay when one goes back in time, when a guest is powered on anew, and when another
is loaded. Pages that two of them have alike are held once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from core.errors import RequestError, UnknownName
from core.vm_snapshots.divergence import Divergence, from_image
from core.vm_snapshots.going_on import carriers
from core.vm_snapshots.vm_snapshot import VmSnapshot
from core.vmm import kind_named

LONGEST_NAME = 80
MOST = 100


@dataclass(frozen=True, slots=True)
class KeptSnapshot:
    """`diverged`: from the VM's image. `machine_time`: of the machine, when it was taken; 0 if elsewhere. `number`: its
    own among those of a shelf, whatever it is called."""

    number: int
    name: str
    snapshot: VmSnapshot
    machine_time: int
    diverged: Divergence


@dataclass(frozen=True, slots=True)
class SnapshotFact:
    """One of them in short, for an onlooker. `time` and `executed` are the VM's own; `end`: how its run had ended;
    `carriers`: the kinds under which it can go on."""

    number: int
    name: str
    letter: str
    guest: str
    title: str
    kind: str
    kind_title: str
    time: int
    executed: int
    machine_time: int
    memory: int
    has_disk: bool
    end: str
    diverged: Divergence
    carriers: tuple[str, ...]


class Shelf:
    """Snapshots by name, in the order in which they were taken. `changes` counts, so that an onlooker knows."""

    def __init__(self) -> None:
        self._kept: dict[str, KeptSnapshot] = {}
        self._numbers = 0
        self.changes = 0

    @property
    def kept(self) -> tuple[KeptSnapshot, ...]:
        """All of them."""
        return tuple(self._kept.values())

    def put(self, kept: Iterable[KeptSnapshot]) -> None:
        """Have these in place of those that are there."""
        self._kept = {each.name: each for each in kept}
        self._numbers = max((self._numbers, *(each.number for each in self.kept)))
        self.changes += 1

    def named(self, name: str) -> KeptSnapshot:
        """The one of that name; an UnknownName if there is none."""
        if name not in self._kept:
            there = f"Choose one of: {', '.join(self._kept)}." if self._kept else "Take one first."
            raise UnknownName(f"There is no snapshot “{name}”.", there)
        return self._kept[name]

    def add(self, name: str, snapshot: VmSnapshot, machine_time: int = 0) -> KeptSnapshot:
        """Keep one; an empty name gives it one. A RequestError if there is such a name."""
        name = name.strip() or self.free_name(f"{snapshot.program.name} 1")
        self._check(name)
        if len(self._kept) >= MOST:
            raise RequestError(f"There are {MOST} snapshots already.", "Delete one that is not needed any more.")
        self._numbers += 1
        kept = KeptSnapshot(self._numbers, name, self._sharing(snapshot), machine_time, from_image(snapshot))
        self._kept[name] = kept
        self.changes += 1
        return kept

    def rename(self, name: str, new: str) -> None:
        """Give one another name."""
        kept, new = self.named(name), new.strip()
        if new != name:
            self._check(new)
            self.put(replace(each, name=new) if each is kept else each for each in self.kept)

    def delete(self, name: str) -> None:
        """Throw one away."""
        gone = self.named(name)
        self.put(each for each in self.kept if each is not gone)

    def keep_again(self, kept: KeptSnapshot) -> None:
        """Have back what was thrown away, in its place among the others."""
        again = replace(kept, name=self.free_name(kept.name))
        self.put(sorted((*self.kept, again), key=lambda each: each.number))

    def _check(self, name: str) -> None:
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise RequestError("That is no name for a snapshot.", f"Choose 1 to {LONGEST_NAME} printable characters.")
        if name in self._kept:
            raise RequestError(f"There is a snapshot “{name}” already.", "Choose another name, or delete that one.")

    def free_name(self, wanted: str) -> str:
        """That name, or if there is one of it already, the same with a higher number at its end."""
        stem, _, number = wanted.rpartition(" ")
        stem, first = (stem, int(number)) if stem and number.isdecimal() else (wanted, 2)
        names = (f"{stem} {each}" for each in range(first, first + len(self._kept) + 1))
        return wanted if wanted not in self._kept else next(name for name in names if name not in self._kept)

    def _sharing(self, snapshot: VmSnapshot) -> VmSnapshot:
        """It, with pages that are another's as well held once."""
        others = [each.snapshot.ram for each in self.kept if each.snapshot.program is snapshot.program]
        if not others:
            return snapshot
        known = others[-1]
        ram = {number: known[number] if known.get(number) == page else page for number, page in snapshot.ram.items()}
        return replace(snapshot, ram=ram)

    def facts(self) -> tuple[SnapshotFact, ...]:
        """The list."""
        return tuple(_fact(each) for each in self.kept)


def _fact(kept: KeptSnapshot) -> SnapshotFact:
    one = kept.snapshot
    return SnapshotFact(
        number=kept.number,
        name=kept.name,
        letter=one.letter,
        guest=one.program.name,
        title=one.program.title,
        kind=one.kind,
        kind_title=kind_named(one.kind).title,
        time=one.time,
        executed=one.executed,
        machine_time=kept.machine_time,
        memory=one.memory,
        has_disk=one.disk is not None,
        end=one.end.sentence if one.end is not None else "",
        diverged=kept.diverged,
        carriers=carriers(one),
    )
