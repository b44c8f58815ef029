"""Writing a file whole or not at all: beside it under another name first, then under its own. And reading one whole.

Whoever reads meanwhile, and whoever comes after a crash or a full disk, finds the file as it was or as it is to be.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from pathlib import Path

LONGEST_PREFIX = 40  # characters of a name, so that the other name is no longer than a name may be


def read_whole(path: Path, most: int) -> bytes:
    """The bytes of the file at `path`, `most` of them at most; an OSError that says why not. A pipe or a device is no
    file: nobody might ever write to the one, and the other might never end."""
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is a pipe or a device, and no file")
    if found.st_size > most:
        raise OSError(errno.EFBIG, f"it has {found.st_size >> 20:,} MiB, and {most >> 20:,} are the most")
    with path.open("rb") as file:
        return file.read(most)


def write_whole(path: Path, contents: bytes) -> None:
    """Put `contents` in the place of what is at `path`; an OSError, and nothing has changed, if that cannot be."""
    path = path.resolve()  # what a link names is replaced, not the link
    beside = ""
    try:
        handle, beside = tempfile.mkstemp(prefix=f".{path.name[:LONGEST_PREFIX]}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(contents)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, beside)
        else:
            os.chmod(beside, 0o644)
        os.replace(beside, path)
    except OSError:
        if beside:
            Path(beside).unlink(missing_ok=True)
        raise
