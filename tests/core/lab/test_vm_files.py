"""A VM's file: what comes out of it is what went in; what is none, or is damaged, is refused in one sentence."""

from __future__ import annotations

import copy
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
from core.guests.catalog import load_program
from core.lab import archive
from core.lab.archive import VM_FILE, is_lab, is_vm_file, open_packed
from core.lab.coding import Blobs
from core.lab.files import encoded, read_lab, save_lab
from core.lab.vm_files import open_vm, packed_vm, read_vm, save_vm
from core.layout import MIB
from core.session import Session
from core.timeline.timeline import Recording
from core.vm_snapshots.vm_snapshot import VmSnapshot
from core.vmm import kinds_for
from tests.core.lab.test_mutated_files import cut, flip, foreign, places
from tests.core.vm_snapshots.test_taking import differences, ticking

EXAMPLES = 150
KINDS = list(kinds_for())
SESSION = Session(recording=False)


@cache
def taken() -> VmSnapshot:
    """In the middle of its ticks, with something written to its disk."""
    session = Session(recording=False)
    session.load(ticking(), "trap_emulate", memory=2 * MIB, disk=DiskImage(bytes(4096)))
    session.run(1_500)
    session.vmm.pc.disk.write_sector(3, b"\7" * 512)
    snapshot = session.snapshots.now()
    session.close()
    return snapshot


@cache
def file() -> bytes:
    return packed_vm(taken(), "ticks", "test")


@cache
def paravirtual() -> bytes:
    """The file of a VM whose guest has told its monitor much."""
    session = Session(recording=False)
    session.load(load_program("pebble-pv"), "paravirt", memory=4 * MIB, command_line="run=hello")
    session.run(200_000)
    packed = packed_vm(session.snapshots.now(), "pebble", "test")
    session.close()
    return packed


def rewritten(data: bytes, change: Callable[[Any], None]) -> bytes:
    """The file with another snapshot in it, every name and checksum right."""
    packed = open_packed(data, VM_FILE)
    manifest = json.loads(packed.manifest())
    tree = json.loads(packed.blob(manifest["snapshot"]))
    change(tree)
    blobs = Blobs()
    for name in packed.entries:
        if name.startswith("blobs/"):
            blobs.keep(packed.blob(name.removeprefix("blobs/")))
    manifest["snapshot"] = blobs.keep(json.dumps(tree).encode())
    return archive.pack(json.dumps(manifest).encode(), blobs.held)


def other_values(data: bytes, chance: random.Random) -> bytes:
    values = (None, True, -1, 0, 1, 3, 255, 256, 0x8000, 1 << 31, 1 << 63, 1 << 130, 1.5, "", "00", "zz", [], {}, [[]])

    def change(tree: Any) -> None:
        parts = [part for part in ("cpu", "devices", "own") if tree[part]]
        where, key = chance.choice(places(tree[chance.choice(parts)]))
        where[key] = chance.choice(values)

    return rewritten(data, change)


def other_fields(data: bytes, chance: random.Random) -> bytes:
    def change(tree: Any) -> None:
        where, key = chance.choice(places(tree))
        if chance.random() < 0.3:
            del where[key]
        else:
            other, there = chance.choice(places(tree))
            where[key] = copy.deepcopy(other[there])

    return rewritten(data, change)


MUTATIONS = (flip, cut, foreign, other_values, other_values, other_fields)


def test_a_vm_comes_out_of_its_file_as_it_went_in_and_goes_on_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "ticks.ringvm"
    save_vm(taken(), "ticks", path, "test")
    name, snapshot = open_vm(path)
    assert (name, snapshot) == ("ticks", taken())
    assert packed_vm(snapshot, "ticks", "test") == path.read_bytes()
    ends = []
    for kind in KINDS:
        SESSION.power_on_from(snapshot, kind)
        SESSION.run(10_000)
        ends.append(SESSION.snapshots.now())
    assert ends[0].end is not None
    assert [differences(ends[0], each) for each in ends[1:]] == [[]] * (len(KINDS) - 1)


def test_labs_and_vms_are_told_apart(tmp_path: Path) -> None:
    vm, lab = tmp_path / "it.ringvm", tmp_path / "it.ringside"
    save_vm(taken(), "ticks", vm, "test")
    session = Session(history=Recording())
    session.power_on_from(taken())
    save_lab(session.lab.facts(), lab, "test")
    session.close()
    assert [(is_lab(path), is_vm_file(path)) for path in (vm, lab, tmp_path)] == [
        (False, True),
        (True, False),
        (False, False),
    ]
    with pytest.raises(LabError, match="This is no VM file: its manifest is of something else"):
        open_vm(lab)


def test_a_newer_version_is_told_apart_from_a_damaged_file(tmp_path: Path) -> None:
    packed = open_packed(file(), VM_FILE)
    manifest = json.loads(packed.manifest()) | {"version": 2, "surprise": 1}
    path = tmp_path / "newer.ringvm"
    path.write_bytes(archive.pack(json.dumps(manifest).encode(), {}))
    with pytest.raises(LabError, match="The VM file is of version 2, and this Ringside knows 1"):
        open_vm(path)


def test_a_file_without_all_of_its_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "short.ringvm"
    with zipfile.ZipFile(path, "w") as out, zipfile.ZipFile(tmp_path / "whole.ringvm", "w") as _:
        out.writestr("manifest.json", open_packed(file(), VM_FILE).manifest())
    with pytest.raises(LabError, match="The VM file lacks a part"):
        open_vm(path)


@given(st.sampled_from(MUTATIONS), st.sampled_from([*KINDS, "paravirt"]), st.integers(0, 1 << 32))
@settings(max_examples=EXAMPLES)
def test_a_mutated_file_is_refused_in_a_sentence_or_goes_on(
    mutation: Callable[..., bytes], kind: str, number: int
) -> None:
    data = paravirtual() if kind == "paravirt" else file()
    refusal = None
    try:
        _, snapshot = read_vm(open_packed(mutation(data, random.Random(number)), VM_FILE))
        SESSION.power_on_from(snapshot, kind)
        SESSION.run(3_000)
    except UserError as error:
        refusal = error
    if refusal is None:
        assert SESSION.snapshots.now().memory == snapshot.memory
    else:
        assert refusal.problem.endswith(".")
        assert "\n" not in str(refusal)
        assert len(str(refusal)) < 600


def test_a_lab_file_of_version_1_which_knew_no_snapshots_is_opened() -> None:
    session = Session(history=Recording())
    session.load(ticking(), "bare", memory=2 * MIB)
    session.run(1_000)
    lab = session.lab.facts()
    session.close()
    manifest, blobs = encoded(lab, "test")
    tree = json.loads(manifest) | {"version": 1}
    del tree["snapshots"], tree["first"]["snapshot"]
    assert read_lab(open_packed(archive.pack(json.dumps(tree).encode(), blobs))) == lab
