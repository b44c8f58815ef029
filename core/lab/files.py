"""Opening and saving a lab: the whole way between facts and a file.

Opening changes nothing: it gives facts, and a session may then be brought to them. A file of a newer version is told
apart from a damaged one, since the mend is another.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from core.errors import LabError, UserError
from core.lab.acts import MEND
from core.lab.archive import FOREIGN, LARGEST_LAB, Folder, Source, open_packed, pack
from core.lab.coding import Blobs, to_lab, to_manifest
from core.lab.lab import Lab
from core.lab.records import FORMAT, VERSION, Manifest
from core.whole_file import write_whole

ENDING = ".ringside"
SHOWN = 80  # characters of a place in a manifest


def save_lab(lab: Lab, path: Path, made_by: str) -> None:
    """Write the lab to `path`, whole or not at all; a LabError if that cannot be."""
    place = str(path)
    if path.is_dir():
        raise LabError("The lab cannot be saved as a folder.", "Give the path of a file.", place)
    if not path.absolute().parent.is_dir():
        raise LabError("The lab cannot be saved: there is no such folder.", "Make it, or choose another.", place)
    try:
        write_whole(path, pack(*encoded(lab, made_by)))
    except OSError as error:
        raise LabError(f"The lab cannot be saved: {error.strerror}.", "Choose another place.", place) from None


def keep_lab(lab: Lab, folder: Folder, made_by: str) -> None:
    """Keep the lab in a folder; an OSError if that cannot be."""
    folder.write(*encoded(lab, made_by))


def encoded(lab: Lab, made_by: str) -> tuple[bytes, dict[str, bytes]]:
    """The manifest's bytes, and the blobs by name."""
    blobs = Blobs()
    manifest = to_manifest(lab, made_by, blobs)
    return manifest.model_dump_json(indent=1).encode(), blobs.held


def open_lab(path: Path) -> Lab:
    """The lab in that file or folder; a UserError, in one sentence, if there is none that this version can open."""
    place = str(path)
    try:
        if path.is_dir():
            return read_lab(Folder(path))
        if path.stat().st_size > LARGEST_LAB:
            raise LabError("The file is larger than any lab.", FOREIGN)
        return read_lab(open_packed(path.read_bytes()))
    except OSError as error:
        raise LabError(f"The lab cannot be read: {error.strerror}.", "Check the path.", place) from None
    except UserError as error:
        raise LabError(error.problem, error.mend, place if not error.place else f"{place}: {error.place}") from None


def read_lab(source: Source) -> Lab:
    """As `open_lab`, from anywhere."""
    text = source.manifest()
    _check_version(text)
    manifest = _understood(lambda: Manifest.model_validate_json(text))
    return to_lab(manifest, source.blob)


def _check_version(text: bytes) -> None:
    """Is it ours, and not newer than we are?"""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise LabError("The lab's manifest is no JSON text.", MEND) from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise LabError("This is no lab file: its manifest is of something else.", FOREIGN)
    version = found.get("version")
    if isinstance(version, int) and not isinstance(version, bool) and version > VERSION:
        raise LabError(
            f"The lab file is of version {version}, and this Ringside knows {VERSION}.",
            "Open it with a newer Ringside.",
        )


def _understood(parse: Callable[[], Manifest]) -> Manifest:
    try:
        return parse()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:SHOWN]
        raise LabError(f"The lab's manifest is wrong at “{where}”: {first['msg']}.", MEND) from None
