"""The bytes that are looked at, by address: their values, what is there where there are none, and which have changed.

*Changed* is measured against the last time the machine stood still, as with the registers; of a byte that was not
looked at then, nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.looks import Ground, Piece, SeenBytes, Space
from core.snapshot import Snapshot

WORD = 4


@dataclass(frozen=True, slots=True)
class _Known:
    """Bytes that were seen: `data` from `start` on, where `mask` is not zero."""

    space: Space
    start: int
    data: bytes
    mask: bytes

    def at(self, address: int) -> int | None:
        offset = address - self.start
        return self.data[offset] if 0 <= offset < len(self.data) and self.mask[offset] else None


class ByteWindow:
    """The last `SeenBytes`, and what stood there before."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Nothing has been seen."""
        self.seen: SeenBytes | None = None
        self._now: _Known | None = None
        self._before: _Known | None = None
        self._last: tuple[int, int, bool] = (0, 0, False)
        self._vm = ""

    def show(self, seen: SeenBytes, snapshot: Snapshot) -> None:
        """Take the bytes as they are now."""
        if snapshot.vm != self._vm:
            self.clear()
            self._vm = snapshot.vm
        executed, traps, running = self._last
        if self._now is None or (not running and (snapshot.executed, snapshot.trap_count) != (executed, traps)):
            self._before = self._now
        self._last = (snapshot.executed, snapshot.trap_count, snapshot.running)
        self.seen, self._now = seen, _known(seen)

    def byte(self, address: int) -> int | None:
        """The byte there, None if it is not known."""
        return self._now.at(address) if self._now is not None else None

    def word(self, address: int) -> int | None:
        """The 32-bit word there, if all of it is known."""
        found = [self.byte(address + n) for n in range(WORD)]
        if any(each is None for each in found):
            return None
        return int.from_bytes(bytes(each or 0 for each in found), "little")

    def changed(self, address: int) -> bool:
        """Does another byte stand there than when the machine last stood still?"""
        if self._before is None or self._now is None or self._before.space is not self._now.space:
            return False
        before = self._before.at(address)
        return before is not None and before != self.byte(address)

    def ground(self, address: int) -> Ground | None:
        """What is there, None if nobody has looked."""
        piece = next((each for each in self._pieces() if 0 <= address - each.address < each.size), None)
        return piece.ground if piece is not None else None

    def physical(self, address: int) -> int | None:
        """The guest-physical address (in the machine's own space the same) behind `address`."""
        for piece in self._pieces():
            if 0 <= address - piece.address < piece.size and piece.physical is not None:
                return piece.physical + address - piece.address
        return None

    def covers(self, space: Space, start: int, size: int) -> bool:
        """Has all of that been looked at?"""
        seen = self.seen
        if seen is None or seen.span.space is not space:
            return False
        end = seen.start + sum(piece.size for piece in seen.pieces)
        return seen.start <= start and min(start + size, 1 << 32) <= end

    def _pieces(self) -> tuple[Piece, ...]:
        return self.seen.pieces if self.seen is not None else ()


def _known(seen: SeenBytes) -> _Known:
    data = b"".join(piece.data if piece.ground is Ground.RAM else bytes(piece.size) for piece in seen.pieces)
    mask = b"".join((b"\1" if piece.ground is Ground.RAM else b"\0") * piece.size for piece in seen.pieces)
    return _Known(seen.span.space, seen.start, data, mask)
