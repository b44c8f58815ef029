"""The multiboot 1 header, found and checked (Multiboot Specification 0.6.96 §3.1)."""

from __future__ import annotations

import struct

from core.errors import ImageError

MAGIC = 0x1BAD_B002
SEARCHED = 8192  # bytes at the start of the image in which the header stands
ALIGN_MODULES, MEMORY_INFO, VIDEO_MODE, ADDRESS_FIELDS = 1 << 0, 1 << 1, 1 << 2, 1 << 16
HONOURED = ALIGN_MODULES | MEMORY_INFO | ADDRESS_FIELDS
REQUIRED_MASK = 0xFFFF  # flags in these bits must be honoured or the image refused


def find_header(image: bytes) -> tuple[int, int] | None:
    """Offset and flags of the header in the first 8 KiB of `image`, if there is one with a right checksum."""
    for offset in range(0, min(len(image), SEARCHED) - 11, 4):
        magic, flags, checksum = struct.unpack_from("<III", image, offset)
        if magic == MAGIC and (magic + flags + checksum) & 0xFFFF_FFFF == 0:
            return offset, flags
    return None


def is_multiboot(image: bytes, place: str) -> bool:
    """Has `image` a multiboot header? One that asks for more than we can do is refused."""
    found = find_header(image)
    if found is None:
        return False
    unknown = found[1] & REQUIRED_MASK & ~HONOURED
    if unknown:
        what = "a video mode" if unknown & VIDEO_MODE else f"features {unknown:#x}"
        raise ImageError(
            f"The image's multiboot header demands {what}, which this machine does not have.",
            "Clear that flag in the header.",
            place,
        )
    return True
