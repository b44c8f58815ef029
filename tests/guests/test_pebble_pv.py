"""Pebble's third build, which asks its hypervisor: the same to its programs and on its console."""

from __future__ import annotations

import re
import runpy

import numpy as np
import pytest

from core.devices.disk_image import SECTOR, DiskImage
from core.errors import RequestError
from core.events import Cause, Ring, StopReason
from core.guests.catalog import load_program, shipped_guests
from core.looks import Look, UseKind
from core.page_use import CODES
from core.rewind import rewind_check
from core.session import Session
from core.timeline.timeline import Recording
from core.vmm.frame_types import FrameType
from core.vmm.paravirt import Paravirt
from tests.guests.test_pebble import DISK_SECTORS, GUESTS, HEAD, LIMIT, MODULES, RUNS, SHELL, after_head, modules_listed

SESSION = Session(recording=False)
PV = load_program("pebble-pv")


def boot(command_line: str, **given: object) -> str:
    SESSION.load(PV, "paravirt", command_line=command_line, **given)  # type: ignore[arg-type]
    SESSION.run(LIMIT)
    return console()


def console() -> str:
    return SESSION.console.decode().replace("\r\n", "\n")


def on_bare(command_line: str, **given: object) -> tuple[str, object]:
    session = Session(recording=False)
    session.load(load_program("pebble"), "bare", command_line=command_line, **given)  # type: ignore[arg-type]
    session.run(LIMIT)
    said, end = session.console.decode().replace("\r\n", "\n"), session.end
    session.close()
    return said, end


@pytest.mark.parametrize("command_line", [row[0] for row in RUNS])
def test_every_program_says_and_ends_as_on_bare(command_line: str) -> None:
    """All but the first line, which tells how much memory the kernel leaves: its builds are not the same size."""
    said, end = on_bare(command_line)
    mine = boot(command_line)
    assert HEAD.match(mine)
    assert after_head(mine) == after_head(said)
    assert SESSION.end == end
    assert end is not None


def test_every_nanobenchmark_runs() -> None:
    cycles = re.compile(r"\d+ cycles, \d+ a round")
    said, _ = on_bare("run=bench")
    assert cycles.sub("", after_head(boot("run=bench"))) == cycles.sub("", after_head(said))


def test_modules_and_disk_are_as_on_bare() -> None:
    assert boot("run=modules", modules=MODULES).endswith(modules_listed())
    blank = DiskImage(bytes(DISK_SECTORS * SECTOR))
    assert boot("run=writer", disk=blank).endswith("made ready\nwriter: 2000 bytes written and read, 0 wrong\n")
    written = SESSION.vmm.pc.disk.contents()
    session = Session(recording=False)
    session.load(load_program("pebble"), "bare", command_line="run=writer", disk=blank)
    session.run(LIMIT)
    assert session.vmm.pc.disk.contents() == written
    session.close()


def typed(line: str) -> str:
    before = len(SESSION.console)
    SESSION.inputs.send(line.encode() + b"\n")
    for _ in range(1000):
        SESSION.run(100_000)
        said = SESSION.console[before:].decode().replace("\r\n", "\n").removeprefix(line + "\n")
        if said.endswith("$ "):
            return said
    raise AssertionError(f"no prompt after {line}")


def test_the_shell_does_each_of_its_commands() -> None:
    SESSION.load(PV, "paravirt", disk=DiskImage(bytes(DISK_SECTORS * SECTOR)), modules=MODULES)
    while not SESSION.console.endswith(b"$ "):
        assert SESSION.run(100_000) is StopReason.BUDGET
    for line, answer in SHELL:
        assert re.fullmatch(answer + r"\$ ", typed(line)), line
    SESSION.inputs.send(b"exit 7\n")
    SESSION.run(300_000)
    assert SESSION.end is not None
    assert SESSION.end.status == 7


def test_system_calls_go_straight_to_the_guests_kernel() -> None:
    SESSION.load(PV, "paravirt", command_line="run=hello")
    SESSION.run_until(lambda trap: trap.cause is Cause.SYSTEM_CALL, limit=LIMIT)
    trap = SESSION.traps.recent()[-1]
    assert (trap.ring_from, trap.ring_to, trap.ring_after) == (Ring.USER, Ring.ONE, Ring.ONE)
    assert "monitor" not in trap.handler


def test_masking_interrupts_costs_no_departure_and_no_device_is_touched() -> None:
    boot("run=counter 3")
    assert SESSION.traps.causes[Cause.PRIVILEGED] == SESSION.traps.causes[Cause.IO] == 0
    assert SESSION.traps.causes[Cause.PAGE_FAULT_HIDDEN] == SESSION.traps.causes[Cause.TRACE] == 0


@pytest.mark.parametrize(("image", "kind"), [("pebble-pv", "bare"), ("pebble", "paravirt"), ("hello", "paravirt")])
def test_an_image_and_a_kind_that_do_not_fit_are_refused_with_those_that_do(image: str, kind: str) -> None:
    able = "paravirt" if image == "pebble-pv" else "bare, trap_emulate"
    with pytest.raises(RequestError, match=f"was written for .*Choose a kind that can run it: {able}"):
        SESSION.load(load_program(image), kind)


def test_the_catalogue_says_of_each_image_what_its_note_says() -> None:
    for info in shipped_guests().values():
        assert load_program(info.name).interface is info.interface


def test_it_idles_between_ticks() -> None:
    SESSION.load(PV, "paravirt")
    while not SESSION.console.endswith(b"$ "):
        SESSION.run(100_000)
    executed, time = SESSION.executed, SESSION.time
    SESSION.run(50_000)
    assert SESSION.time - time > 50 * (SESSION.executed - executed)


def test_every_moment_of_it_is_what_it_was_when_one_goes_back() -> None:
    dense = Recording(instructions=90_000, departures=60)
    wrong = rewind_check(PV, "paravirt", points=12, seed=4, limit=3_000_000, command_line="run=forks", recording=dense)
    assert wrong == []


def test_it_runs_beside_other_kinds_as_it_does_alone() -> None:
    alone = boot("run=counter 3")
    SESSION.load(PV, "paravirt", command_line="run=counter 3")
    SESSION.vms.add(load_program("pebble"), "hardware", command_line="run=primes 2000")
    SESSION.vms.add(load_program("pebble-clean"), "trap_emulate", command_line="run=primes 2000")
    ended = {}
    for letter in "ABC":
        SESSION.select(letter)
        while SESSION.end is None:
            SESSION.run(1_000_000)
        ended[letter] = console()
    assert ended["A"] == alone
    assert ended["B"].endswith("primes: 303 up to 2000\n")
    assert after_head(ended["B"]) == after_head(ended["C"])


def test_what_differs_from_the_ordinary_build_is_little_and_marked() -> None:
    """Whole files in the place of others, and lines between `#ifdef PEBBLE_PV` and its end."""
    kernel = GUESTS / "pebble" / "kernel"
    build = runpy.run_path(str(GUESTS / "pebble" / "build.py"))
    marked = 0
    for source in sorted(kernel.glob("*.[chS]")):
        inside = False
        for line in source.read_text("utf-8").splitlines():
            inside = inside and not line.startswith(("#else", "#endif"))
            marked += inside
            inside = inside or line.startswith("#ifdef PEBBLE_PV")
    lines = {name: (kernel / name).read_text("utf-8").count("\n") for name in build["PV_ONLY"] | build["PC_ONLY"]}
    assert marked < 60
    assert sum(lines[name] for name in build["PV_ONLY"]) < 400
    assert sum(lines[name] for name in build["PC_ONLY"]) < 400


def test_the_map_shows_as_tables_just_what_the_hypervisor_has_typed_so() -> None:
    SESSION.load(PV, "paravirt")
    while not SESSION.console.endswith(b"$ "):
        SESSION.run(100_000)
    monitor, shown = SESSION.vmm, SESSION.seen(Look(map=True), SESSION.guest_system()).map
    assert isinstance(monitor, Paravirt)
    assert shown is not None
    tables = np.isin(monitor.types.types, (FrameType.TABLE_1, FrameType.TABLE_2)) & (monitor.types.uses > 0)
    uses = np.frombuffer(shown.uses, np.uint8)[: len(tables)]
    assert np.array_equal(uses == CODES[UseKind.TABLES], tables)
    assert {use.name for use in shown.legend} >= {"init (1)", "shell (2)"}
    believed = {register.name: register for register in SESSION.registers()}
    assert believed["CR3"].believed == believed["CR3"].real
