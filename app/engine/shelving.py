"""The person's wishes about snapshots of VMs, carried out on the session; and what the window is told of them.

The reader and writer of VM files, slow to import, is imported when there is a file to read or to write.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.engine import protocol

if TYPE_CHECKING:
    from core.session import Session
    from core.vm_snapshots.vm_snapshot import VmSnapshot

CHANGES_MACHINE = (protocol.RevertVm, protocol.CloneVm)


def shelve(session: Session, command: protocol.SnapshotCommand) -> protocol.Message | None:
    """Carry `command` out; what the window is told of it, beside `Shelved`. A UserError, and nothing changed, if that
    cannot be."""
    shelf = session.snapshots.shelf
    match command:
        case protocol.TakeSnapshot(name, letter):
            session.snapshots.take(name, letter)
        case protocol.RenameSnapshot(name, new):
            shelf.rename(name, new)
        case protocol.DeleteSnapshot(name):
            shelf.delete(name)
        case protocol.KeepAgain(kept):
            shelf.keep_again(kept)
        case protocol.RevertVm(name, letter):
            session.snapshots.revert(name, letter)
        case protocol.CloneVm(name, kind, weight, cap):
            session.snapshots.clone(name, kind, weight=weight, cap=cap)
        case protocol.AskDiverged(letter):
            return session.snapshots.diverged(letter)
        case protocol.ImportSnapshot(path, name):
            held, snapshot = vm_in(path)
            shelf.add(name or shelf.free_name(held), snapshot)
        case protocol.ExportSnapshot(name, path):
            from app.cli.version import version
            from core.lab.vm_files import save_vm

            save_vm(shelf.named(name).snapshot, name, Path(path), version())
            return protocol.SnapshotSaved(path)
        case protocol.ExportDisk(name, path):
            from core.lab.vm_files import save_disk_of

            save_disk_of(shelf.named(name).snapshot, Path(path), replace=True)
            return protocol.DiskSaved(path)
    return None


def vm_in(path: str) -> tuple[str, VmSnapshot]:
    """The name and the VM in a file."""
    from core.lab.vm_files import open_vm

    return open_vm(Path(path))


class ShelfTeller:
    """Knows which snapshots the window has been told of."""

    def __init__(self, session: Session) -> None:
        self._shelf = session.snapshots.shelf
        self._changes = 0
        self._told: dict[int, VmSnapshot] = {}

    def knows(self) -> None:
        """The window has those that are there: they came from it."""
        self._changes = self._shelf.changes
        self._told = {each.number: each.snapshot for each in self._shelf.kept}

    def news(self) -> protocol.Shelved | None:
        """What the window is to be told now; None: nothing."""
        if self._changes == self._shelf.changes:
            return None
        new = tuple(each for each in self._shelf.kept if self._told.get(each.number) is not each.snapshot)
        self.knows()
        return protocol.Shelved(self._shelf.facts(), new)
