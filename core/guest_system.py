"""What an onlooker learns of a guest operating system, as facts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GuestProcess:
    """One process: number, name, state in the guest's own word, parent's number (0: none), page directory (CR3), how
    often it was given the CPU, whether the guest's `current` points to it, and whether CR3 holds its directory."""

    pid: int
    name: str
    state: str
    parent: int
    directory: int
    runs: int
    current: bool
    in_cr3: bool
    kernel_stack: int = 0  # linear address of the page in which its registers lie while its kernel works for it


@dataclass(frozen=True, slots=True)
class GuestSystem:
    """The guest's processes in the order of its table, its ticks since boot, and its free frames of 4 KiB."""

    processes: tuple[GuestProcess, ...]
    ticks: int
    free_frames: int

    @property
    def mapped(self) -> GuestProcess | None:
        """The process whose address space CR3 holds; in the kernel, too, its program is mapped."""
        return next((process for process in self.processes if process.in_cr3), None)
