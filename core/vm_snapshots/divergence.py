"""How far two instants of a VM lie apart: the pages and sectors that differ, found by comparing every byte.

A VM's image is what was loaded at power-on and its disk as it was given; what the guest has made of them since is its
divergence: all that a copy of the VM would have to hold beside the image (copy-on-write; QEMU's backing files).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from core.addresses import PAGE_SHIFT, PAGE_SIZE
from core.devices.disk_image import SECTOR
from core.guests.boot import boot_memory
from core.vm_snapshots.vm_snapshot import VmSnapshot

ZEROES = bytes(PAGE_SIZE)


@dataclass(frozen=True, slots=True)
class Divergence:
    """So many `pages` of `of_pages` differ, and so many `sectors` of `of_sectors`; `page_bits` and `sector_bits` say
    which, a bit each, the lowest of the first byte being that of the first."""

    pages: int
    of_pages: int
    sectors: int
    of_sectors: int
    page_bits: bytes = field(default=b"", compare=False, repr=False)
    sector_bits: bytes = field(default=b"", compare=False, repr=False)

    @property
    def bytes(self) -> int:
        """What would have to be kept beside the other."""
        return self.pages * PAGE_SIZE + self.sectors * SECTOR

    @property
    def words(self) -> str:
        """For a person."""
        disk = f", {self.sectors:,} of {self.of_sectors:,} sectors" if self.of_sectors else ""
        return f"{self.pages:,} of {self.of_pages:,} pages{disk}"


def from_image(snapshot: VmSnapshot) -> Divergence:
    """From what the VM was powered on with."""
    image = image_pages(snapshot)
    sectors = _changed_sectors(snapshot, {}, snapshot.disk.data if snapshot.disk else b"")
    return _made(snapshot, image, sectors)


def between(snapshot: VmSnapshot, other: VmSnapshot) -> Divergence:
    """Of one instant from another: of the same VM, or of two."""
    sectors = _changed_sectors(snapshot, other.sectors, other.disk.data if other.disk else b"")
    return _made(snapshot, other.ram, sectors)


def _made(snapshot: VmSnapshot, pages: Mapping[int, bytes], sectors: list[int]) -> Divergence:
    mine = snapshot.ram
    differing = [n for n in mine.keys() | pages.keys() if mine.get(n, ZEROES) != pages.get(n, ZEROES)]
    of_sectors = snapshot.disk.sectors if snapshot.disk is not None else 0
    return Divergence(
        len(differing),
        snapshot.pages,
        len(sectors),
        of_sectors,
        _bits(differing, snapshot.pages),
        _bits(sectors, of_sectors),
    )


def _bits(numbers: list[int], of: int) -> bytes:
    found = np.zeros(of, np.bool_)
    found[[number for number in numbers if number < of]] = True  # the other one may have more
    return np.packbits(found, bitorder="little").tobytes()


def _changed_sectors(snapshot: VmSnapshot, written: Mapping[int, bytes], image: bytes) -> list[int]:
    if snapshot.disk is None:
        return []
    mine, own = snapshot.sectors, snapshot.disk.data
    if own is image or own == image:
        numbers: set[int] | range = {*mine, *written}
    else:
        numbers = range(snapshot.disk.sectors)
    return [number for number in numbers if _sector(mine, own, number) != _sector(written, image, number)]


def _sector(written: Mapping[int, bytes], image: bytes, number: int) -> bytes:
    return written.get(number) or image[number * SECTOR : (number + 1) * SECTOR]


def image_pages(snapshot: VmSnapshot) -> dict[int, bytes]:
    """The VM's memory at power-on, as its image and what goes with it say: page number → bytes."""
    pages: dict[int, bytearray] = {}
    given = boot_memory(snapshot.program, snapshot.memory, snapshot.command_line, snapshot.modules)
    for address, data in given:
        at = 0
        while at < len(data):
            number, start = (address + at) >> PAGE_SHIFT, (address + at) % PAGE_SIZE
            part = data[at : at + PAGE_SIZE - start]
            pages.setdefault(number, bytearray(PAGE_SIZE))[start : start + len(part)] = part
            at += len(part)
    return {number: bytes(page) for number, page in pages.items()}


@dataclass(frozen=True, slots=True)
class Diverged:
    """How far a VM has come, at one instant: from its image, and from each snapshot of a VM like it, by name."""

    letter: str
    time: int
    from_image: Divergence
    from_snapshots: tuple[tuple[str, Divergence], ...] = ()
