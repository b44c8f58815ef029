"""Finding programs: the guests that ship with the lab by name, anybody's by path."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from pathlib import Path

from core.addresses import GuestPhysical
from core.errors import ImageError, UnknownName
from core.guests.assembler import assemble, assemble_file, read_source
from core.guests.elf import MAGIC, load_elf
from core.guests.image import ImageSegment, Interface, Program, SourceFile, check_fit
from core.whole_file import read_whole

SOURCE_ENDINGS = (".s", ".asm")
HOLES = "holes"  # the folder of the guests that show one sensitive instruction each
MANIFEST = "manifest.json"  # of the built images; written by their build
FLAT_ENDING = ".bin"
FLAT_BASE = GuestPhysical(0x10_0000)
LARGEST_FILE = 64 << 20


@dataclass(frozen=True, slots=True)
class GuestInfo:
    """A guest that ships with the lab: its name, and what the first lines of its source say of it."""

    name: str
    title: str
    summary: str
    path: str
    sources: str = ""  # for a built image: the folder beside it with its sources
    interface: Interface = Interface.PC
    runs: tuple[str, ...] = ()  # command lines that together run every program that is in it, each to an end
    own_speed: str = ""  # what it prints of its own speed, as a regular expression


@lru_cache(maxsize=1)
def shipped_guests() -> dict[str, GuestInfo]:
    """Every shipped guest by name. A source begins with a comment `# Title: summary`."""
    folder = Path(str(resources.files("assets"))) / "guests"
    found: dict[str, GuestInfo] = {}
    for path in sorted(folder.glob("*.s")):
        title, summary = _headline(read_source(path))
        found[path.stem] = GuestInfo(path.stem, title or path.stem, summary, str(path))
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    for name, built in manifest.items():
        found[name] = GuestInfo(
            name,
            built["title"],
            built["summary"],
            str(folder / f"{name}.elf"),
            built["sources"],
            Interface(built["interface"]),
            tuple(built["runs"]),
            built["own_speed"],
        )
    return found


def name_in_catalogue(program: Program | None) -> str:
    """How to ask for this program again: by its name if it is a shipped one, else by its path."""
    if program is None:
        return ""
    shipped = shipped_guests().get(program.name)
    return program.name if shipped is not None and shipped.path == program.path else program.path


def guest_named(name: str) -> GuestInfo:
    """The shipped guest of that name, or UnknownName listing those there are."""
    if name not in (shipped := shipped_guests()):
        raise UnknownName(f"There is no shipped guest named “{name}”.", f"Choose one of: {', '.join(shipped)}.")
    return shipped[name]


@lru_cache(maxsize=1)
def hole_guests() -> dict[str, GuestInfo]:
    """The tiny guests that each show one sensitive instruction, by name (``holes/popf``). Not among the shipped ones:
    they are many, and are run together (`core.hole_table`)."""
    found: dict[str, GuestInfo] = {}
    for path in sorted((Path(str(resources.files("assets"))) / "guests" / HOLES).glob("*.s")):
        title, summary = _headline(read_source(path))
        found[f"{HOLES}/{path.stem}"] = GuestInfo(f"{HOLES}/{path.stem}", title, summary, str(path))
    return found


def _headline(text: str) -> tuple[str, str]:
    """Title and summary from the comment at the head of a source: ``# Title: summary``, up to the first empty one."""
    lines: list[str] = []
    for line in text.splitlines():
        if not line.startswith("#") or not line.strip("# "):
            break
        lines.append(line.lstrip("# ").strip())
    title, _, summary = " ".join(lines).partition(": ")
    return title, summary[:1].upper() + summary[1:]


def load_program(name_or_path: str) -> Program:
    """The shipped guest of that name, or the program in that file: assembly source, ELF32, or flat (.bin)."""
    info = shipped_guests().get(name_or_path) or hole_guests().get(name_or_path)
    if info is not None:
        program = _load_built(info) if info.sources else assemble_file(Path(info.path))
        return replace(program, name=info.name, title=info.title, summary=info.summary, path=info.path)
    path = Path(name_or_path)
    if not path.exists() and path.suffix == "" and len(path.parts) == 1:
        raise UnknownName(
            f"There is no guest named “{name_or_path}” and no such file.",
            f"Choose one of: {', '.join(shipped_guests())}.",
        )
    if path.suffix.lower() in SOURCE_ENDINGS and path.is_file():
        text = read_source(path)
        title, summary = _headline(text)
        program = assemble(text, path.name, path.parent)
        return replace(program, title=title or path.stem, summary=summary, path=str(path))
    return _load_binary(path)


def _load_built(info: GuestInfo) -> Program:
    """A shipped image that was compiled: with the text of every source file that its line table names."""
    path = Path(info.path)
    program = load_elf(path.read_bytes(), info.name, info.path)
    folder = path.parent / info.sources
    programs = {name: _with_sources(user, folder) for name, user in program.programs.items()}
    return replace(_with_sources(program, folder), programs=programs)


def _with_sources(program: Program, folder: Path) -> Program:
    named = sorted({file for file, _line in program.lines.values()})
    texts = [(name, folder / name) for name in named]
    sources = tuple(SourceFile(name, file.read_text(encoding="utf-8")) for name, file in texts if file.is_file())
    return replace(program, sources=sources)


def load_flat(image: bytes, name: str, path: str) -> Program:
    """The program whose memory `image` is; it starts at its first byte."""
    segments = (ImageSegment(FLAT_BASE, image, len(image)),)
    check_fit(segments, path)
    return Program(name, name, "", path, FLAT_BASE, segments, image=image)


def _load_binary(path: Path) -> Program:
    place = str(path)
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ImageError(
                f"The file has {path.stat().st_size >> 20} MiB, more than any guest's memory.",
                "Choose another file.",
                place,
            )
        image = read_whole(path, LARGEST_FILE)
    except OSError as error:
        raise ImageError(f"The image cannot be read: {error.strerror}.", "Check the path.", place) from None
    if image.startswith(MAGIC):
        return load_elf(image, path.stem, place)
    if path.suffix.lower() == FLAT_ENDING and image:
        return load_flat(image, path.stem, place)
    if not image:
        raise ImageError("The file is empty.", "Choose an ELF32 image or assembly source.", place)
    raise ImageError(
        "This is neither assembly source (.s), nor an ELF file, nor a flat binary (.bin).",
        "Choose one of these, or rename it.",
        place,
    )
