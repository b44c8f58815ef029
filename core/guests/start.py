"""What a person gives a guest on its way: a command line, a disk, modules; by path, not yet read.

The command line, the window's dialogue and the engine's protocol speak of it in this one form; reading the files is
where a mistake in them is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.devices.disk_image import DiskImage, load_disk_image
from core.guests.modules import Module, load_module


@dataclass(frozen=True, slots=True)
class StartWith:
    """`disk` is the path of a raw image, empty for none; each of `modules` is ``FILE`` or ``FILE:STRING``."""

    command_line: str = ""
    disk: str = ""
    modules: tuple[str, ...] = ()

    def read_disk(self) -> DiskImage | None:
        """The disk, if one is wanted; an ImageError if it cannot be one."""
        return load_disk_image(Path(self.disk)) if self.disk else None

    def read_modules(self) -> tuple[Module, ...]:
        """The modules; an ImageError for the first that cannot be read."""
        return tuple(load_module(words) for words in self.modules)

    def in_words(self) -> str:
        """What it is, for people; empty if it is nothing."""
        parts = [f"command line “{self.command_line}”"] if self.command_line else []
        parts += [f"disk {Path(self.disk).name}"] if self.disk else []
        parts += [f"{len(self.modules)} module" + "s" * (len(self.modules) > 1)] if self.modules else []
        return ", ".join(parts)


NOTHING = StartWith()
