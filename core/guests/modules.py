"""Boot modules: files that a multiboot loader puts into memory beside the kernel, each with a string.

A loader reads them from wherever it booted and tells the kernel where they lie; what they are is the kernel's business:
a RAM disk, programs, tables. Here they are read whole from the person's files. Specified in Multiboot 0.6.96 §3.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import ImageError
from core.whole_file import read_whole

SEPARATOR = ":"
LARGEST = 64 << 20


@dataclass(frozen=True, slots=True)
class Module:
    """`data` as it will lie in memory, with the `string` that the guest is given; `path` is where it came from."""

    data: bytes
    string: str
    path: str = ""


def load_module(words: str) -> Module:
    """The module of ``FILE`` or ``FILE:STRING``; the string is the file's name if none is given.

    A colon may be part of a path too: the shortest beginning that is a file counts, the whole first of all.
    """
    colons = [at for at, character in enumerate(words) if character == SEPARATOR]
    at = next((at for at in [len(words), *colons] if Path(words[:at]).is_file()), None)
    if at is None:
        drive = len(words) > 2 and words[1] == SEPARATOR and words[2] in "\\/"
        path = words if not colons else words[: next((at for at in colons if not (drive and at == 1)), len(words))]
        what = "is a folder" if Path(path).is_dir() else "is not there"
        raise ImageError(f"The module {what}.", "Give the path of a file.", path or words)
    path, string = words[:at], words[at + 1 :]
    string = string or Path(path).name
    if not string.isascii() or "\0" in string:
        raise ImageError("A module's string can have ASCII characters only.", "Give it another after a colon.", path)
    try:
        if Path(path).stat().st_size > LARGEST:
            raise ImageError("The module is larger than any guest's memory.", "Use a smaller file.", path)
        return Module(read_whole(Path(path), LARGEST), string, path)
    except OSError as error:
        raise ImageError(f"The module cannot be read: {error.strerror}.", "Check the path.", path) from None
