"""A guest program, ready to be put into a VM's memory: where its bytes go, where it starts, what its addresses mean.

Programs come from assembly source (assembled at load), from ELF32 executables and from flat binaries; `load_program`
tells them apart. Nothing here runs anything of the program.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property

from core.addresses import GuestPhysical
from core.errors import ImageError
from core.layout import LOWEST_IMAGE, VM_MEMORY

FURTHEST_FROM_SYMBOL = 0x1000  # an address further behind a symbol than this is not told by it


@dataclass(frozen=True, slots=True)
class ImageSegment:
    """Bytes for guest-physical `address` on; of `size` bytes those beyond `data` are zero."""

    address: GuestPhysical
    data: bytes
    size: int


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A source file as it was assembled."""

    name: str
    text: str


class Interface(Enum):
    """What machine a program was written for; `value` names it in data."""

    PC = "pc"
    PARAVIRT = "paravirt"

    @property
    def phrase(self) -> str:
        """For people."""
        if self is Interface.PC:
            return "a PC, with its privileged instructions and devices"
        return "a hypervisor to be called (paravirtualization)"


@dataclass(frozen=True)
class Program:
    """A guest program.

    symbols   labels and their linear addresses
    lines     linear address of each source statement → (file name, line from 1)
    programs  those that it carries and runs as its processes, by name, at their own linear addresses
    user      the one whose code is included here (see `seen_from`)
    interface what its kernel expects beneath it; an image says so by an ELF note
    image     the file's bytes that all this was read from; empty for one found inside another
    """

    name: str
    title: str
    summary: str
    path: str
    entry: int
    segments: tuple[ImageSegment, ...]
    symbols: Mapping[str, int] = field(default_factory=dict)
    lines: Mapping[int, tuple[str, int]] = field(default_factory=dict)
    sources: tuple[SourceFile, ...] = ()
    multiboot: bool = False
    programs: Mapping[str, Program] = field(default_factory=dict)
    user: str = ""
    interface: Interface = Interface.PC
    image: bytes = field(default=b"", repr=False)

    def seen_from(self, name: str) -> Program:
        """The code of an address space in which its program `name` runs: the kernel's and that program's together.

        The program's symbols are called ``name!symbol`` there. Of a program that is not known: the kernel's alone.
        """
        if name not in self.programs:
            return self
        if name not in self._seen:
            user = self.programs[name]
            self._seen[name] = replace(
                self,
                segments=self.segments + user.segments,
                symbols={**self.symbols, **{f"{name}!{symbol}": at for symbol, at in user.symbols.items()}},
                lines={**self.lines, **user.lines},
                sources=self.sources + user.sources,
                user=name,
            )
        return self._seen[name]

    @cached_property
    def _seen(self) -> dict[str, Program]:
        return {}

    @cached_property
    def starts(self) -> list[int]:
        """Addresses of all source statements, in order."""
        return sorted(self.lines)

    @cached_property
    def _named(self) -> list[tuple[int, str]]:
        return sorted((address, name) for name, address in self.symbols.items())

    @cached_property
    def _first_name(self) -> dict[int, str]:
        return dict(reversed(self._named))

    def symbol_starting_at(self, address: int) -> str:
        """The symbol that stands exactly at `address`, or an empty string."""
        return self._first_name.get(address, "")

    def symbol_at(self, address: int) -> tuple[str, int]:
        """The nearest symbol at or before `address` and the distance to it; an empty name if there is none near."""
        index = bisect_right(self._named, (address, "\U0010ffff")) - 1
        if index < 0 or address - self._named[index][0] > FURTHEST_FROM_SYMBOL:
            return "", 0
        start = self._named[index][0]
        return self._first_name[start], address - start

    def name_of(self, address: int) -> str:
        """`address` in terms of symbols (``start+0x12``), or an empty string."""
        name, distance = self.symbol_at(address)
        return f"{name}+{distance:#x}" if name and distance else name

    def holds(self, address: int) -> bool:
        """Does the image, as it is loaded, reach over `address`?"""
        return any(segment.address <= address < segment.address + segment.size for segment in self.segments)

    def line_at(self, address: int) -> tuple[str, int] | None:
        """File and line of the statement that `address` belongs to; None outside the image."""
        index = bisect_right(self.starts, address) - 1
        start = self.starts[index] if index >= 0 else -1
        inside = (each for each in self.segments if each.address <= address < each.address + each.size)
        return self.lines[start] if any(start >= each.address for each in inside) else None

    def addresses_of(self, file: str, line: int) -> list[int]:
        """Where the code of a source line stands."""
        return [address for address in self.starts if self.lines[address] == (file, line)]


def check_fit(segments: tuple[ImageSegment, ...], place: str, memory: int = VM_MEMORY) -> None:
    """Refuse an image that does not fit into a VM's memory, or lies where the boot tables are."""
    for segment in segments:
        end = segment.address + segment.size
        if end > memory:
            raise ImageError(
                f"The image wants memory up to {end:#x}, but the machine has {memory:#x} ({memory >> 20} MiB).",
                "Link it lower or make it smaller.",
                place,
            )
        if segment.address < LOWEST_IMAGE and segment.size:
            raise ImageError(
                f"The image wants address {segment.address:#x}, but below {LOWEST_IMAGE:#x} the boot tables stand.",
                "Link it at 0x100000.",
                place,
            )
