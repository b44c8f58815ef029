"""Who owns which frame of the machine's RAM: the ground of resource control (Popek & Goldberg 1974).

A frame is a page of host-physical memory. It is free, or belongs to exactly one owner: the host, a monitor, or a VM. A
hypervisor maps into a VM only frames that are its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from core.addresses import PAGE_SHIFT, PAGE_SIZE, HostPhysical
from core.errors import LabFault, RequestError

FREE = ""


class FrameAllocator:
    """Hands out frames of `size` bytes of RAM; the lowest free ones first, so that runs are repeatable."""

    def __init__(self, size: int) -> None:
        self._owners: list[str] = [FREE] * (size >> PAGE_SHIFT)
        self._lowest = 0  # below it no frame is free
        self._free = len(self._owners)
        self._used_to = 0
        self._owned: Counter[str] = Counter()

    @property
    def size(self) -> int:
        """Bytes of all of RAM."""
        return len(self._owners) * PAGE_SIZE

    @property
    def used_to(self) -> int:
        """The address below which lies every frame that was ever anybody's."""
        return self._used_to * PAGE_SIZE

    def owned_bytes(self, owner: str) -> int:
        """How much is `owner`'s."""
        return self._owned[owner] * PAGE_SIZE

    def owner(self, address: HostPhysical) -> str:
        """The owner of the frame that holds `address`; `FREE` if none."""
        return self._owners[address >> PAGE_SHIFT]

    def owners(self) -> tuple[str, ...]:
        """The owner of every frame, in address order."""
        return tuple(self._owners)

    def free_bytes(self) -> int:
        """How much is free."""
        return self._free * PAGE_SIZE

    def claim(self, first: HostPhysical, size: int, owner: str) -> None:
        """Give `owner` the frames of `size` bytes at `first`; all must be free."""
        frames = slice(first >> PAGE_SHIFT, (first + size) >> PAGE_SHIFT)
        wanted = frames.stop - frames.start
        if self._owners[frames] != [FREE] * wanted:
            taken = next(frame for frame in range(frames.start, frames.stop) if self._owners[frame] != FREE)
            raise ValueError(f"frame {taken:#x} already belongs to {self._owners[taken]}")
        self._owners[frames] = [owner] * wanted
        self._free -= wanted
        self._owned[owner] += wanted
        self._used_to = max(self._used_to, frames.stop)

    def allocate(self, size: int, owner: str) -> list[HostPhysical]:
        """Addresses of enough frames for `size` bytes, now `owner`'s; a RequestError with the figures if too few."""
        wanted = (size + PAGE_SIZE - 1) >> PAGE_SHIFT
        if self._free < wanted:
            raise RequestError(
                f"{owner} needs {size / 2**20:.1f} MiB, but only {self.free_bytes() / 2**20:.1f} MiB are free.",
                "Remove a VM or give this one less memory.",
            )
        owners, frame = self._owners, self._lowest
        if wanted:
            frame = owners.index(FREE, frame)
            if owners[frame : frame + wanted] == [FREE] * wanted:
                self.claim(HostPhysical(frame << PAGE_SHIFT), wanted << PAGE_SHIFT, owner)
                self._lowest = frame + wanted
                return [HostPhysical(number << PAGE_SHIFT) for number in range(frame, frame + wanted)]
        found: list[HostPhysical] = []
        for _ in range(wanted):
            frame = owners.index(FREE, frame)
            owners[frame] = owner
            found.append(HostPhysical(frame << PAGE_SHIFT))
            frame += 1
        self._lowest = frame
        self._used_to = max(self._used_to, frame)
        self._free -= wanted
        self._owned[owner] += wanted
        return found

    def allocate_side_by_side(self, size: int, owner: str) -> list[HostPhysical]:
        """As `allocate`, in one piece; a RequestError if there is no such piece."""
        wanted = (size + PAGE_SIZE - 1) >> PAGE_SHIFT
        run = 0
        for number, who in enumerate(self._owners):
            run = run + 1 if who == FREE else 0
            if run == wanted:
                first = HostPhysical(number - wanted + 1 << PAGE_SHIFT)
                self.claim(first, wanted << PAGE_SHIFT, owner)
                return [HostPhysical(first + (n << PAGE_SHIFT)) for n in range(wanted)]
        raise RequestError(f"{owner} needs {wanted} free frames side by side.", "Remove a VM.")

    def check(self, address: int, owner: str) -> None:
        """A LabFault if the frame that holds `address` is not `owner`'s: nobody may be shown what is another's."""
        if self._owners[address >> PAGE_SHIFT] != owner:
            whose = self._owners[address >> PAGE_SHIFT] or "nobody"
            raise LabFault(f"The frame at {address:#010x} belongs to {whose}, but was to be shown to {owner}.")

    def owned(self, owner: str) -> list[HostPhysical]:
        """The frames of `owner`, in address order."""
        return [HostPhysical(n << PAGE_SHIFT) for n, who in enumerate(self._owners) if who == owner]

    def release(self, owner: str) -> None:
        """Free every frame of `owner`."""
        self.release_frames(self.owned(owner))

    def release_frames(self, frames: Iterable[HostPhysical]) -> None:
        """Free these frames."""
        for frame in frames:
            number = frame >> PAGE_SHIFT
            if self._owners[number] == FREE:
                raise ValueError(f"frame {number:#x} is free already")
            self._owned[self._owners[number]] -= 1
            self._owners[number] = FREE
            self._lowest = min(self._lowest, number)
            self._free += 1
