"""Opening and saving a lab: the whole way between facts and a file.

Opening changes nothing: it gives facts, and a session may then be brought to them. A file of a newer version is told
apart from a damaged one, since the mend is another.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from core.errors import LabError, UserError
from core.lab.acts import MEND
from core.lab.archive import FOREIGN, LARGEST_LAB, Folder, Source, open_packed, pack
from core.lab.coding import Blobs, to_lab, to_manifest
from core.lab.lab import Lab
from core.lab.records import FORMAT, VERSION, Manifest
from core.lab.vm_records import Record
from core.whole_file import read_whole, write_whole

ENDING = ".ringside"
SHOWN = 80  # characters of a place in a manifest
Understood = TypeVar("Understood", bound=Record)


def save_lab(lab: Lab, path: Path, made_by: str) -> None:
    """Write the lab to `path`, whole or not at all; a LabError if that cannot be."""
    check_place(path, "lab")
    write_packed(path, pack(*encoded(lab, made_by)), "lab")


def check_place(path: Path, called: str) -> None:
    """A LabError if nothing can be saved at `path`."""
    place = str(path)
    if path.is_dir():
        raise LabError(f"The {called} cannot be saved as a folder.", "Give the path of a file.", place)
    if not path.absolute().parent.is_dir():
        raise LabError(f"The {called} cannot be saved: there is no such folder.", "Make it, or choose another.", place)


def write_packed(path: Path, data: bytes, called: str) -> None:
    """Write it, whole or not at all; a LabError if that cannot be."""
    try:
        write_whole(path, data)
    except OSError as error:
        raise LabError(f"The {called} cannot be saved: {error.strerror}.", "Choose another place.", str(path)) from None


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
        return read_lab(open_packed(read_whole(path, LARGEST_LAB)))
    except OSError as error:
        raise LabError(f"The lab cannot be read: {error.strerror}.", "Check the path.", place) from None
    except UserError as error:
        raise LabError(error.problem, error.mend, place if not error.place else f"{place}: {error.place}") from None


def read_lab(source: Source) -> Lab:
    """As `open_lab`, from anywhere."""
    text = source.manifest()
    check_version(text, FORMAT, VERSION, "lab file")
    return to_lab(understood(Manifest, text, "lab"), source.blob)


def check_version(text: bytes, form: str, version: int, called: str) -> None:
    """Is it ours, and not newer than we are?"""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise LabError(f"The {called}'s manifest is no JSON text.", MEND) from None
    if not isinstance(found, dict) or found.get("format") != form:
        raise LabError(f"This is no {called}: its manifest is of something else.", FOREIGN)
    held = found.get("version")
    if isinstance(held, int) and not isinstance(held, bool) and held > version:
        raise LabError(
            f"The {called} is of version {held}, and this Ringside knows {version}.",
            "Open it with a newer Ringside.",
        )


def understood(kind: type[Understood], text: bytes, called: str) -> Understood:
    """The record of that kind; a LabError that says where it is none."""
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:SHOWN]
        raise LabError(f"The {called}'s manifest is wrong at “{where}”: {first['msg']}.", MEND) from None
