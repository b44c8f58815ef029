"""A VM in a file of its own, `NAME.ringvm`: a snapshot that goes on in any lab, on any computer.

It is the container of lab files with another manifest, which names the blob of the snapshot. What is read is judged as
a lab is, and runs no code. `FORMAT.md` has the format. The disk can be had as a raw image beside, for other machines.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from core.devices.disk_image import save_disk_image
from core.errors import LabError, RequestError, UserError
from core.lab.archive import FOREIGN, LARGEST_LAB, VM_FILE, VM_FORMAT, Source, open_packed, pack
from core.lab.coding import Blobs, Reader, keep_snapshot
from core.lab.files import check_place, check_version, understood, write_packed
from core.lab.vm_records import Name, Record, Sha
from core.vm_snapshots.vm_snapshot import VmSnapshot
from core.whole_file import read_whole

ENDING = ".ringvm"
VERSION: Final = 1


class VmManifest(Record):
    """Which VM it is, and where it stands."""

    format: Literal["ringside vm"]
    version: Literal[1]
    made_by: Name
    name: Name
    snapshot: Sha


def save_vm(snapshot: VmSnapshot, name: str, path: Path, made_by: str) -> None:
    """Write the VM to `path`, whole or not at all; a LabError if that cannot be."""
    check_place(path, "VM")
    write_packed(path, packed_vm(snapshot, name, made_by), "VM")


def packed_vm(snapshot: VmSnapshot, name: str, made_by: str) -> bytes:
    """The bytes of its file."""
    blobs = Blobs()
    manifest = VmManifest(
        format=VM_FORMAT, version=VERSION, made_by=made_by, name=name, snapshot=keep_snapshot(snapshot, blobs)
    )
    return pack(manifest.model_dump_json(indent=1).encode(), blobs.held)


def open_vm(path: Path) -> tuple[str, VmSnapshot]:
    """The name and the VM in that file; a UserError, in one sentence, if there is none that this version can open."""
    place = str(path)
    try:
        if path.stat().st_size > LARGEST_LAB:
            raise LabError("The file is larger than any VM's.", FOREIGN)
        return read_vm(open_packed(read_whole(path, LARGEST_LAB), VM_FILE))
    except OSError as error:
        raise LabError(f"The VM cannot be read: {error.strerror}.", "Check the path.", place) from None
    except UserError as error:
        raise LabError(error.problem, error.mend, place if not error.place else f"{place}: {error.place}") from None


def read_vm(source: Source) -> tuple[str, VmSnapshot]:
    """As `open_vm`, from anywhere."""
    text = source.manifest()
    check_version(text, VM_FORMAT, VERSION, VM_FILE)
    manifest = understood(VmManifest, text, "VM")
    return manifest.name, Reader(source.blob).snapshot(manifest.snapshot)


def save_disk_of(snapshot: VmSnapshot, path: Path, *, replace: bool = False) -> None:
    """Write the VM's disk, image and what was written over it, to `path` as a raw image."""
    if snapshot.disk is None:
        raise RequestError("The VM has no disk.", "Take a snapshot of one that has.")
    save_disk_image(snapshot.disk, snapshot.disk_contents(), path, replace=replace)
