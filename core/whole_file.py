"""Writing a file whole or not at all: beside it under another name first, then under its own.

Whoever reads meanwhile, and whoever comes after a crash or a full disk, finds the file as it was or as it is to be.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path


def write_whole(path: Path, contents: bytes) -> None:
    """Put `contents` in the place of what is at `path`; an OSError, and nothing has changed, if that cannot be."""
    path = path.resolve()  # what a link names is replaced, not the link
    beside = ""
    try:
        handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
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
