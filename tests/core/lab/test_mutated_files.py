"""Lab files that were damaged, forged, or never were any: refused in one sentence, or opened and whole."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.devices.disk_image import DiskImage
from core.errors import LabError, UserError
from core.guests.assembler import assemble
from core.lab import archive
from core.lab.archive import open_packed
from core.lab.files import encoded, open_lab, read_lab, save_lab
from core.lab.lab import Lab
from core.layout import MIB
from core.session import Session
from core.timeline.timeline import Recording
from tests.core.timeline.test_timeline import ECHO, run_to

EXAMPLES = 2_000
Tree = Any  # of JSON


@cache
def lab_file() -> bytes:
    """A small lab with everything in it: VMs, a disk, two futures, a journal, a breakpoint; a snapshot, reverted to
    and cloned."""
    session = Session(history=Recording(instructions=3_000, departures=20))
    session.load(assemble(ECHO, "guest.s"), "trap_emulate", memory=2 * MIB, disk=DiskImage(b"\x55" * 1024))
    run_to(session, 2_000)
    session.inputs.send(b"abc")
    session.vms.add(assemble("again: inc eax\njmp again", "loop.s"), "hardware", memory=2 * MIB, cap=30)
    session.run(5_000)
    session.snapshots.take("kept")
    session.inputs.send(b"d")
    session.run(2_000)
    session.snapshots.revert("kept")
    session.snapshots.clone("kept", "translation")
    session.run(2_000)
    session.travel.go_to(3_000)
    session.vms.set_weight("B", 7)
    session.run(2_000)
    session.breakpoints = frozenset({session.pc})
    return archive.pack(*encoded(session.lab.facts(), "test"))


@cache
def present() -> Session:
    """The lab that somebody is in while they open another."""
    session = Session(history=Recording())
    session.load(assemble(ECHO, "mine.s"), "bare")
    run_to(session, 1_000)
    session.inputs.send(b"mine")
    run_to(session, 3_000)
    return session


@cache
def kept() -> Lab:
    """The present lab, as it is to stay."""
    return present().lab.facts()


def repacked(change: Callable[[Tree], None]) -> bytes:
    """The file with another manifest, every checksum right."""
    packed = open_packed(lab_file())
    tree = json.loads(packed.manifest())
    change(tree)
    blobs = {
        name.removeprefix("blobs/"): packed.blob(name.removeprefix("blobs/"))
        for name in packed.entries
        if name != "manifest.json"
    }
    return archive.pack(json.dumps(tree).encode(), blobs)


def places(tree: Tree) -> list[tuple[Tree, Any]]:
    """Every place in a tree that holds something."""
    found: list[tuple[Tree, Any]] = []
    keys = tree.keys() if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in keys:
        found.append((tree, key))
        found += places(tree[key])
    return found


def flip(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8, 64))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut(data: bytes, chance: random.Random) -> bytes:
    start, end = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    return chance.choice((data[:start], data[start:], data[:start] + data[end:], data + data[start:end]))


def foreign(data: bytes, chance: random.Random) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr(
            chance.choice(("manifest.json", "../manifest.json", "a.txt", "blobs/" + "0" * 64)), chance.randbytes(40)
        )
    return chance.choice(
        (b"", chance.randbytes(300), b"\x7fELF" + data[4:], b"PK\x03\x04" + chance.randbytes(99), out.getvalue())
    )


def swap_fields(_: bytes, chance: random.Random) -> bytes:
    def change(tree: Tree) -> None:
        (one, here), (other, there) = chance.sample(places(tree), 2)
        one[here], other[there] = other[there], one[here]

    return repacked(change)


def change_field(_: bytes, chance: random.Random) -> bytes:
    values = (
        None,
        True,
        -1,
        0,
        1,
        7,
        1 << 40,
        1 << 70,
        1.5,
        "",
        "A",
        "B",
        "Z",
        "0" * 64,
        "bare",
        [],
        {},
        [[]],
        "x" * 5_000,
    )

    def change(tree: Tree) -> None:
        where, key = chance.choice(places(tree))
        if chance.random() < 0.2:
            del where[key]
        else:
            where[key] = chance.choice(values)

    return repacked(change)


MUTATIONS = (flip, cut, foreign, swap_fields, change_field)


@given(st.sampled_from(MUTATIONS), st.integers(0, 1 << 32))
@settings(max_examples=EXAMPLES)
def test_a_mutated_file_is_refused_in_a_sentence_or_is_a_lab(mutation: Callable[..., bytes], seed: int) -> None:
    session, _ = present(), kept()
    untouched, refusal = (session.timeline, session.generation, session.timeline.now), None
    try:
        lab = read_lab(open_packed(mutation(lab_file(), random.Random(seed))))
        opening = session.lab.opening(lab)
        for _, _share in zip(range(50), opening, strict=False):
            pass
        opening.close()
    except UserError as error:
        refusal = error
    if refusal is None:  # it is a lab: one can go on in it, and have the former again
        session.run(1_000)
        session.lab.open(kept())
    else:
        assert refusal.problem.endswith(".")
        assert "\n" not in str(refusal)
        assert len(str(refusal)) < 600
        now = (session.timeline, session.generation, session.timeline.now)
        assert now == untouched or session.lab.facts() == kept()  # the latter where only the machine could know
    assert session.console == b"mine"


def test_a_newer_version_is_told_apart_from_a_damaged_file(tmp_path: Path) -> None:
    def newer(tree: Tree) -> None:
        tree["version"] = 3
        tree["surprise"] = 1

    path = tmp_path / "newer.ringside"
    path.write_bytes(repacked(newer))
    with pytest.raises(
        LabError,
        match=r"newer\.ringside: The lab file is of version 3, and this Ringside knows 2\. Open it with a newer",
    ):
        open_lab(path)


def test_a_file_that_would_unpack_to_more_than_a_lab_is_not_unpacked(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made, made.open("manifest.json", "w") as entry:
        for _ in range(80):
            entry.write(bytes(1 << 20))
    assert len(out.getvalue()) < 200_000
    with pytest.raises(LabError, match="would unpack to 80 MiB"):
        open_packed(out.getvalue())


def test_a_part_that_is_not_what_its_name_says_is_refused() -> None:
    packed = open_packed(lab_file())
    blobs = {name.removeprefix("blobs/"): b"forged" for name in packed.entries if name != "manifest.json"}
    with pytest.raises(LabError, match="is not what it was"):
        read_lab(open_packed(archive.pack(packed.manifest(), blobs)))


def test_what_is_no_file_at_all_is_said(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(LabError, match="cannot be read"):
            open_lab(path)
    with pytest.raises(LabError, match="no such folder"):
        save_lab(present().lab.facts(), tmp_path / "no" / "lab.ringside", "test")
