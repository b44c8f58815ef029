"""``ringside snapshot``: a VM's file, looked at, compared with another, or its disk taken out of it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli import statuses

if TYPE_CHECKING:
    from core.vm_snapshots.divergence import Divergence
    from core.vm_snapshots.vm_snapshot import VmSnapshot

DESCRIPTION = """\
A VM is a file: its memory, its processor, its devices and what it has written to its disk, at one instant. `ringside
run IMAGE --snapshot FILE.ringvm` writes one when the run is over, the window's Snapshots do at any moment, and
`ringside run FILE.ringvm` goes on from it, under the kind of monitor that it was taken under or another.
"""
EPILOG = """\
examples:
  ringside run pebble --until 2000000 --snapshot early.ringvm
  ringside run early.ringvm --vmm hardware              goes on where it stood, under another monitor
  ringside snapshot info early.ringvm                   what is in it, and how far it has come from its image
  ringside snapshot diff early.ringvm late.ringvm       the pages and sectors in which two instants differ
  ringside snapshot disk early.ringvm disk.img          its disk as a raw image, for any machine
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "snapshot",
        help="look at VM files, compare them, take their disk out",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(metavar="WHAT", required=True)
    info = verbs.add_parser("info", help="what is in a VM file")
    info.add_argument("file", metavar="FILE", type=Path, help="a VM file (.ringvm)")
    info.add_argument("--json", action="store_true", help="one object, for scripts")
    info.set_defaults(main=_info)
    diff = verbs.add_parser("diff", help="how far two VMs lie apart; the status is 1 if they do")
    diff.add_argument("file", metavar="A", type=Path, help="a VM file")
    diff.add_argument("other", metavar="B", type=Path, help="another")
    diff.add_argument("--json", action="store_true", help="one object, for scripts")
    diff.set_defaults(main=_diff)
    disk = verbs.add_parser("disk", help="the VM's disk as a raw image")
    disk.add_argument("file", metavar="FILE", type=Path, help="a VM file")
    disk.add_argument("out", metavar="OUT", type=Path, help="the image to write; one that is there is left alone")
    disk.set_defaults(main=_disk)


def _opened(path: Path) -> tuple[str, VmSnapshot]:
    from core.lab.vm_files import open_vm

    return open_vm(path)


def _info(arguments: argparse.Namespace) -> int:
    from core.vm_snapshots.divergence import from_image

    name, vm = _opened(arguments.file)
    found = _as_json(name, vm)
    if arguments.json:
        print(json.dumps(found))
        return statuses.DONE
    place = vm.program.name_of(vm.cpu.pc)
    state = vm.end.sentence if vm.end else "It waits for an interrupt." if vm.halted else "It runs."
    print(f"{name}: {vm.program.name} with {vm.memory >> 20} MiB, taken under {vm.kind} as VM {vm.letter}")
    print(f"virtual time {vm.time:,}, {vm.executed:,} instructions, at {vm.cpu.pc:#010x}{place and f' ({place})'}")
    print(f"{state} It has written {len(vm.console):,} bytes to its console.")
    print(f"It differs from its image in {from_image(vm).words}.")
    print(f"It can go on under: {', '.join(found['goes_on_under'])}.")
    return statuses.DONE


def _as_json(name: str, vm: VmSnapshot) -> dict[str, Any]:
    """The shape that scripts rely on."""
    from core.vm_snapshots.divergence import from_image
    from core.vm_snapshots.going_on import carriers

    return {
        "name": name,
        "guest": vm.program.name,
        "kind": vm.kind,
        "letter": vm.letter,
        "memory": vm.memory,
        "time": vm.time,
        "instructions": vm.executed,
        "pc": vm.cpu.pc,
        "halted": vm.halted,
        "end": {"how": vm.end.how.value, "status": vm.end.status} if vm.end else None,
        "console": vm.console.decode("utf-8", "backslashreplace"),
        "diverged": _counts(from_image(vm)),
        "goes_on_under": list(carriers(vm)),
    }


def _counts(found: Divergence) -> dict[str, int]:
    return {
        "pages": found.pages,
        "of_pages": found.of_pages,
        "sectors": found.sectors,
        "of_sectors": found.of_sectors,
        "bytes": found.bytes,
    }


def _diff(arguments: argparse.Namespace) -> int:
    from core.vm_snapshots.divergence import between

    (first, one), (second, other) = _opened(arguments.file), _opened(arguments.other)
    found = between(other, one)
    same = one.cpu == other.cpu
    if arguments.json:
        print(json.dumps({"diverged": _counts(found), "same_processor": same, "time": [one.time, other.time]}))
    else:
        print(f"{second} differs from {first} in {found.words}.")
        print(f"Virtual time {one.time:,} and {other.time:,}; the processor is {'the same' if same else 'another'}.")
    return statuses.DONE if same and not found.bytes else statuses.PROBLEMS


def _disk(arguments: argparse.Namespace) -> int:
    from core.devices.disk_image import SECTOR
    from core.lab.vm_files import save_disk_of

    _, vm = _opened(arguments.file)
    save_disk_of(vm, arguments.out)
    print(f"{arguments.out}: {len(vm.disk_contents()) // SECTOR:,} sectors, {len(vm.sectors):,} written by the guest.")
    return statuses.DONE
