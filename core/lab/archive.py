"""The container: a manifest and blobs, in a ZIP file or, while a lab is open, in a folder.

Nothing that is read is believed: names are exactly those of the format, sizes are bounded before anything is unpacked,
and a blob is what its name says or it is refused. Nothing in it is ever run, and nothing is unpacked to disk. (ZIP:
APPNOTE.TXT 6.3; stored or deflated, no encryption.)
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from core.errors import LabError
from core.lab.acts import MEND
from core.whole_file import read_whole, write_whole

MANIFEST, BLOBS = "manifest.json", "blobs/"
BLOB_NAME = re.compile(r"blobs/[0-9a-f]{64}")
SIGNATURE = b"PK\x03\x04"
LARGEST_MANIFEST = 64 << 20
LARGEST_BLOB = 1 << 30
LARGEST_LAB = 3 << 30  # of all that is unpacked
MOST_BLOBS = 10_000
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same lab gives the same file
DENSE = 1 << 18  # blobs of so many bytes are deflated quickly rather than well
TASTE = 1 << 13
FOREIGN = "Open a file that Ringside saved."
LAB_FILE, VM_FILE = "lab file", "VM file"  # what a container is called
VM_FORMAT: Final = "ringside vm"
SEEN_OF_MANIFEST = 200  # bytes, in which its format stands


class Source(Protocol):
    """Where a lab is read from."""

    def manifest(self) -> bytes:
        """The manifest's bytes; a LabError if there is none."""

    def blob(self, name: str) -> bytes:
        """The bytes whose SHA-256 is `name`; a LabError if they are not there, or not those."""


def pack(manifest: bytes, blobs: Mapping[str, bytes]) -> bytes:
    """The bytes of a lab file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in ((MANIFEST, manifest), *((BLOBS + sha, data) for sha, data in sorted(blobs.items()))):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data, _method(data), 1 if len(data) >= DENSE else 6)
    return out.getvalue()


def _method(data: bytes) -> int:
    """Deflated, unless a taste of it says that this would be time for nothing."""
    taste = data[len(data) // 2 :][:TASTE]
    return zipfile.ZIP_STORED if len(zlib.compress(taste, 1)) > len(taste) * 0.9 else zipfile.ZIP_DEFLATED


def is_lab(path: Path) -> bool:
    """Does that look like a lab, rather than a guest?"""
    if path.is_dir():
        return (path / MANIFEST).is_file()
    return _is_packed(path) and not is_vm_file(path)


def is_vm_file(path: Path) -> bool:
    """Does that look like a VM's file, rather than a lab or a guest?"""
    if path.is_dir() or not _is_packed(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive, archive.open(MANIFEST) as file:
            return VM_FORMAT.encode() in file.read(SEEN_OF_MANIFEST)
    except Exception:  # noqa: BLE001 - zipfile and zlib raise nearly anything on damaged input
        return False


def _is_packed(path: Path) -> bool:
    try:
        if not path.is_file():  # to open a pipe is to wait for its writer
            return False
        with path.open("rb") as file:
            return file.read(len(SIGNATURE)) == SIGNATURE
    except OSError:
        return False


@dataclass(slots=True)
class Packed:
    """A lab file, its directory judged; made by `open_packed`."""

    archive: zipfile.ZipFile
    entries: dict[str, zipfile.ZipInfo]
    called: str = LAB_FILE

    def manifest(self) -> bytes:
        """See `Source`."""
        if MANIFEST not in self.entries:
            raise LabError(f"This is no {self.called}: it has no manifest.", FOREIGN)
        return self._read(MANIFEST)

    def blob(self, name: str) -> bytes:
        """See `Source`."""
        if BLOBS + name not in self.entries:
            raise LabError(f"The {self.called} lacks a part ({name[:12]}…).", MEND)
        return proven(name, self._read(BLOBS + name))

    def _read(self, name: str) -> bytes:
        entry = self.entries[name]
        try:
            with self.archive.open(entry) as file:
                data = file.read(entry.file_size + 1)
        except Exception as error:  # noqa: BLE001 - zipfile and zlib raise nearly anything on damaged input
            raise LabError(f"The {self.called} is damaged or cut short ({type(error).__name__}).", MEND) from None
        if len(data) != entry.file_size:
            raise LabError(f"The {self.called} is damaged: a part has another size than its directory says.", MEND)
        return data


def open_packed(data: bytes, called: str = LAB_FILE) -> Packed:
    """The lab file of these bytes, or whatever it is `called`; a LabError if they are none."""
    if not data.startswith(SIGNATURE):
        raise LabError(f"This is no {called}.", FOREIGN)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = archive.infolist()
    except Exception as error:  # noqa: BLE001 - see above
        raise LabError(f"The {called} is damaged or cut short ({type(error).__name__}).", MEND) from None
    if len(entries) > MOST_BLOBS + 1:
        raise LabError(f"The {called} has {len(entries):,} parts, more than any.", FOREIGN)
    found: dict[str, zipfile.ZipInfo] = {}
    for each in entries:
        name = each.filename
        if name != MANIFEST and not BLOB_NAME.fullmatch(name):
            raise LabError(f"This is no {called}: it holds something that none has.", FOREIGN)
        if name in found:
            raise LabError(f"The {called} holds a part twice.", MEND)
        if each.file_size > (LARGEST_MANIFEST if name == MANIFEST else LARGEST_BLOB):
            raise LabError(f"A part of the {called} would unpack to {each.file_size >> 20:,} MiB.", FOREIGN)
        if each.flag_bits & 1 or each.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise LabError(f"The {called} is packed in a way that none is.", MEND)
        found[name] = each
    whole = sum(each.file_size for each in entries)
    if whole > LARGEST_LAB:
        raise LabError(f"The {called} would unpack to {whole >> 20:,} MiB, more than any.", FOREIGN)
    return Packed(archive, found, called)


@dataclass(slots=True)
class Folder:
    """A lab in a folder: as the file, unpacked. Blobs are written once, the manifest whole each time."""

    path: Path
    _written: set[str] = field(default_factory=set)

    def manifest(self) -> bytes:
        """See `Source`."""
        return self._read(MANIFEST, LARGEST_MANIFEST)

    def blob(self, name: str) -> bytes:
        """See `Source`."""
        return proven(name, self._read(BLOBS + name, LARGEST_BLOB))

    def _read(self, name: str, most: int) -> bytes:
        path = self.path / name
        try:
            if path.stat().st_size > most:
                raise LabError("A part of the lab is larger than any.", FOREIGN, str(path))
            return read_whole(path, most)
        except OSError as error:
            raise LabError(f"The lab cannot be read: {error.strerror}.", MEND, str(path)) from None

    def write(self, manifest: bytes, blobs: Mapping[str, bytes]) -> None:
        """Keep this; an OSError if it cannot be kept."""
        (self.path / BLOBS).mkdir(parents=True, exist_ok=True)
        for name, data in blobs.items():
            if name not in self._written:
                write_whole(self.path / BLOBS / name, data)
                self._written.add(name)
        write_whole(self.path / MANIFEST, manifest)


def proven(name: str, data: bytes) -> bytes:
    """`data`, if `name` is its SHA-256."""
    if hashlib.sha256(data).hexdigest() != name:
        raise LabError(f"The file is damaged: a part ({name[:12]}…) is not what it was.", MEND)
    return data
