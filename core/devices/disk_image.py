"""A disk image: the bytes of a disk in a file, read once, and written again only when a person asks for it.

What a guest writes lies in the drive's overlay. Saving puts image and overlay together into a file: whole or not at
all, and not over a file that has become another since it was read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import ImageError
from core.whole_file import read_whole, write_whole

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

    def with_sectors(self, written: Mapping[int, bytes]) -> bytes:
        """The whole disk with these sectors in place of its own."""
        data = bytearray(self.data)
        for sector, bytes_ in written.items():
            data[sector * SECTOR : (sector + 1) * SECTOR] = bytes_
        return bytes(data)


def load_disk_image(path: Path) -> DiskImage:
    """The image in the file at `path`; an ImageError if it cannot be a disk."""
    place = str(path)
    if path.is_dir():
        raise ImageError("The disk image is a folder.", "Give the path of a raw image file.", place)
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise ImageError(f"The disk image has {size >> 20} MiB, more than 1024.", "Use a smaller disk.", place)
        data = read_whole(path, LARGEST)
    except FileNotFoundError:
        raise ImageError(
            "The disk image cannot be read: it is not there.", "Check the path, or make an empty disk there.", place
        ) from None
    except OSError as error:
        raise ImageError(f"The disk image cannot be read: {error.strerror}.", "Check the path.", place) from None
    if not data:
        raise ImageError("The disk image is empty.", "Remove the file and make an empty disk there.", place)
    if len(data) % SECTOR:
        raise ImageError(
            f"The disk image has {len(data)} bytes, which is no whole number of sectors of {SECTOR}.",
            "Pad it, or check that it is a raw image.",
            place,
        )
    return DiskImage(data, place)


def make_disk(path: Path, size: int) -> None:
    """A new file with a blank disk of `size` bytes; an ImageError if it cannot be made, or something is there."""
    check_target(path)
    if path.exists():
        raise ImageError("There is a file already.", "Choose another name.", str(path))
    _write(path, bytes(size))


def check_target(path: Path) -> None:
    """Refuse a place at which no disk can be saved."""
    place = str(path)
    if path.is_dir():
        raise ImageError("The disk cannot be saved as a folder.", "Give the path of a file.", place)
    if not path.absolute().parent.is_dir():
        raise ImageError("The disk cannot be saved: there is no such folder.", "Make it, or choose another.", place)
    if path.exists() and not os.access(path, os.W_OK):
        raise ImageError("The disk cannot be saved: the file is read-only.", "Choose another file.", place)


def save_disk_image(image: DiskImage, contents: bytes, path: Path, *, replace: bool = False) -> DiskImage:
    """Write `contents`, what has become of `image`, to `path`; gives the image that is there now.

    Over the image's own file only if that still holds `image`; over another file only if the person said `replace`.
    """
    check_target(path)
    try:
        if image.path and path.exists() and path.samefile(image.path):
            size = path.stat().st_size
            if size != len(image.data):
                raise ImageError(
                    f"The disk was not saved: its file has {size:,} bytes now, but had {len(image.data):,}.",
                    "Save it as another file.",
                    str(path),
                )
            if path.read_bytes() != image.data:
                raise ImageError(
                    "The disk was not saved: its file has been changed by others since it was read.",
                    "Save it as another file.",
                    str(path),
                )
        elif path.exists() and not replace:
            raise ImageError("The disk was not saved: there is a file already.", "Choose another name.", str(path))
    except OSError as error:
        raise _not_saved(error, path) from None
    _write(path, contents)
    return DiskImage(contents, str(path))


def _write(path: Path, contents: bytes) -> None:
    try:
        write_whole(path, contents)
    except OSError as error:
        raise _not_saved(error, path) from None


def _not_saved(error: OSError, path: Path) -> ImageError:
    return ImageError(f"The disk cannot be saved: {error.strerror}.", "Choose another place.", str(path))
