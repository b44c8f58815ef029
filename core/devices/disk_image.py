"""A disk image: the bytes of a disk in a file, read once and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import ImageError

SECTOR = 512
LARGEST = 1 << 30


@dataclass(frozen=True, slots=True)
class DiskImage:
    """`data` has a whole number of sectors; `path` is where it came from, empty for one made up."""

    data: bytes
    path: str = ""

    @property
    def sectors(self) -> int:
        """How many sectors of 512 bytes."""
        return len(self.data) // SECTOR


def load_disk_image(path: Path) -> DiskImage:
    """The image in the file at `path`; an ImageError if it cannot be a disk."""
    place = str(path)
    if path.is_dir():
        raise ImageError("The disk image is a folder.", "Give the path of a raw image file.", place)
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise ImageError(f"The disk image has {size >> 20} MiB, more than 1024.", "Use a smaller disk.", place)
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(f"The disk image cannot be read: {error.strerror}.", "Check the path.", place) from None
    if not data:
        raise ImageError("The disk image is empty.", "Make one with “ringside disk FILE”.", place)
    if len(data) % SECTOR:
        raise ImageError(
            f"The disk image has {len(data)} bytes, which is no whole number of sectors of {SECTOR}.",
            "Pad it, or check that it is a raw image.",
            place,
        )
    return DiskImage(data, place)
