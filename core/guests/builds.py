"""What differs between two builds of one guest, as a diff that people can read: what was changed to port it.

The builds share their sources: some files stand in the place of others, and a few lines are marked by `#ifdef`. The
diff is of the sources as each build sees them. Only `#ifdef`, `#ifndef`, `#else` and `#endif` of the builds' own marks
are followed; all other directives stay as they are.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from core.errors import RequestError
from core.guests.catalog import MANIFEST, GuestInfo, shipped_guests
from core.guests.image import Interface

KERNEL = "kernel"
ENDINGS = (".c", ".h", ".S")
MARK = "PEBBLE_"  # begins the names that tell builds apart


@dataclass(frozen=True, slots=True)
class Build:
    """The marks that are defined in a build, and the files that it leaves out."""

    folder: Path
    defines: frozenset[str]
    left_out: frozenset[str]

    def sources(self) -> dict[str, list[str]]:
        """The lines of every source file of the kernel, as this build sees them."""
        return {
            path.name: as_seen(path.read_text(encoding="utf-8").splitlines(), self.defines)
            for path in sorted((self.folder / KERNEL).iterdir())
            if path.suffix in ENDINGS and path.name not in self.left_out
        }


def build_of(info: GuestInfo) -> Build:
    """How a shipped guest was built; a RequestError for one that was not compiled."""
    if not info.sources:
        raise RequestError(f"{info.name} was not built from C.", "Compare two builds of Pebble.")
    path = Path(info.path)
    built = json.loads((path.parent / MANIFEST).read_text(encoding="utf-8"))[info.name]
    return Build(path.parent / info.sources, frozenset(built["defines"]), frozenset(built["left_out"]))


def counterpart(info: GuestInfo, interface: Interface) -> GuestInfo | None:
    """The build of the same sources that was written for `interface`: itself, another, or None if there is none."""
    if info.interface is interface:
        return info
    others = (each for each in shipped_guests().values() if each.sources and each.sources == info.sources)
    return next((each for each in others if each.interface is interface), None)


def as_seen(lines: list[str], defines: Set[str]) -> list[str]:
    """The lines that are left when the marks are decided."""
    kept: list[str] = []
    decided: list[bool | None] = []  # of each open conditional: is its present part in; None: not one of ours
    for line in lines:
        words = line.split()
        directive = words[0] if words and words[0].startswith("#") else ""
        if directive in ("#ifdef", "#ifndef", "#if"):
            ours = directive != "#if" and len(words) > 1 and words[1].startswith(MARK)
            decided.append((words[1] in defines) == (directive == "#ifdef") if ours else None)
            if ours:
                continue
        elif directive == "#else" and decided and decided[-1] is not None:
            decided[-1] = not decided[-1]
            continue
        elif directive == "#endif" and decided and decided.pop() is not None:
            continue
        if all(part is not False for part in decided):
            kept.append(line)
    return kept


@dataclass(frozen=True, slots=True)
class FileDifference:
    """What differs in one source file: its name, how many lines came and went, and the unified diff."""

    name: str
    added: int
    removed: int
    text: str


def differences(before: GuestInfo, after: GuestInfo) -> Iterator[FileDifference]:
    """The source files that differ, in the order of their names."""
    old, new = build_of(before).sources(), build_of(after).sources()
    for name in sorted(old.keys() | new.keys()):
        lines = list(
            difflib.unified_diff(
                old.get(name, []),
                new.get(name, []),
                f"{before.name}/{KERNEL}/{name}" if name in old else "nothing",
                f"{after.name}/{KERNEL}/{name}" if name in new else "nothing",
                lineterm="",
            )
        )
        if lines:
            changed = [line[0] for line in lines[2:] if line]
            yield FileDifference(name, changed.count("+"), changed.count("-"), "\n".join(lines))


def difference(before: GuestInfo, after: GuestInfo) -> str:
    """A unified diff of all source files that differ, in the order of their names; empty if none do."""
    return "\n".join(each.text for each in differences(before, after))
