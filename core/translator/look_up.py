"""The lookup of indirect jumps: a table of places in memory, which translated code jumps through.

Where a RET or an indirect JMP leads is known only as it runs. Its translation jumps through one of 65,536 places, by
the low half of the address, to a block that first makes sure that it is the right one (its *door*, made in
`core.translator.rewrite`) and asks the monitor if it is not. The same hash table as VMware's (Adams & Agesen, ASPLOS
2006, §3.1), but with the comparison behind the jump, where the address is a constant; it must keep every flag.
"""

from __future__ import annotations

from core.addresses import PAGE_SIZE
from core.translator.region import Region

PLACES = 1 << 16
PLACE_BYTES = 4


class LookupTable:
    """Each place holds EIP of a block's door, or of what asks the monitor. Kept for one code segment at a time."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._nobody = bytes(PLACE_BYTES)

    def clear(self, nobody: int) -> None:
        """Know nothing: every place leads to EIP `nobody`, which asks the monitor."""
        self._nobody = (nobody & 0xFFFF_FFFF).to_bytes(PLACE_BYTES, "little")
        page = self._nobody * (PAGE_SIZE // PLACE_BYTES)
        for frame in self._region.frames:
            self._region.ram.write(frame, page)

    def _place(self, eip: int) -> int:
        return self._region.base + (eip & PLACES - 1) * PLACE_BYTES

    def enter(self, eip: int, door: int) -> None:
        """The block of `eip` has its door at EIP `door`."""
        self._region.write(self._place(eip), (door & 0xFFFF_FFFF).to_bytes(PLACE_BYTES, "little"))

    def remove(self, eip: int, door: int) -> None:
        """Lead there no more, if that is where the place of `eip` leads."""
        at = self._place(eip)
        if self._region.read(at, PLACE_BYTES) == (door & 0xFFFF_FFFF).to_bytes(PLACE_BYTES, "little"):
            self._region.write(at, self._nobody)
