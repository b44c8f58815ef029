"""Pebble: a real operating system on a real PC, under the lab's kinds and, for proof, under QEMU."""

from __future__ import annotations

import importlib.util
import json
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

from core.devices.disk_image import SECTOR, DiskImage
from core.events import Cause, EndHow, StopReason
from core.guests.catalog import load_program
from core.session import Session
from core.vmm import kinds

GUESTS = Path(__file__).parents[2] / "assets" / "guests"
SESSION = Session(recording=False)
LIMIT = 60_000_000
DISK_SECTORS = 1024
HEAD = "Pebble: 15080 KiB free\n"

# command line, status, the last lines of the console
RUNS = [
    ("run=hello", 0, "hello by INT 0x80, world\nhello by SYSENTER, or by INT 0x80 where there is none\n"),
    ("run=hello reader", 0, "hello by INT 0x80, reader\nhello by SYSENTER, or by INT 0x80 where there is none\n"),
    ("run=counter 3", 0, "counter: 1\ncounter: 2\ncounter: 3\n"),
    ("run=primes", 0, "primes: 9592 up to 100000\n"),
    ("run=forks", 0, "forks: a tree of 15 processes, 0 frames lost\n"),
    ("run=pages", 0, "pages: 64 touched, 0 wrong\n"),
    ("run=writer", 2, "writer: no disk to write to\n"),
    ("run=greedy 300", 0, "greedy: done\n"),
    ("run=fault divide", 128, "fault (2): divide error, eip 40000042\n"),
    ("run=fault privileged", 141, None),
    ("run=fault port", 141, None),
    ("run=fault invalid", 134, None),
    ("run=fault write", 142, None),
    ("run=fault", 142, None),
    ("run=nothing", 127, "init: there is no program nothing\n"),
]


def boot(image: str, kind: str, command_line: str, disk: DiskImage | None = None) -> None:
    SESSION.load(load_program(image), kind, command_line=command_line, disk=disk)
    SESSION.run(LIMIT)


def console() -> str:
    return SESSION.console.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(("command_line", "status", "last"), RUNS, ids=[row[0] for row in RUNS])
def test_a_scripted_run_ends_with_its_status_and_says_what_it_should(
    command_line: str, status: int, last: str | None
) -> None:
    boot("pebble", "bare", command_line)
    assert SESSION.end is not None
    assert (SESSION.end.how, SESSION.end.status) == (EndHow.EXIT, status)
    assert console().startswith(HEAD)
    assert last is None or console().endswith(last)


@pytest.mark.parametrize("kind", [kind for kind in kinds() if kind != "bare"])
@pytest.mark.parametrize("command_line", [*(row[0] for row in RUNS), "run=bench"])
def test_the_clean_build_is_the_same_to_the_instruction_under_every_kind(kind: str, command_line: str) -> None:
    ends = []
    for each in ("bare", kind):
        boot("pebble-clean", each, command_line)
        ends.append((SESSION.end, SESSION.executed, SESSION.time, console()))
    assert ends[1] == ends[0]
    assert ends[0][0] is not None


def test_the_ordinary_build_finds_out_that_it_is_not_in_ring_0_and_panics() -> None:
    boot("pebble", "trap_emulate", "run=hello")
    assert console().endswith("panic: interrupts are on where the kernel has turned them off\n")


@pytest.mark.parametrize(("image", "kind"), [("pebble", "bare"), ("pebble-clean", "trap_emulate")])
def test_the_shell_answers_what_is_typed(image: str, kind: str) -> None:
    SESSION.load(load_program(image), kind)
    assert SESSION.run(LIMIT // 20) is StopReason.BUDGET  # idle, woken by its timer again and again
    assert console().endswith("$ ")
    for typed, answer in (
        ("echo hello there", "hello there"),
        ("run primes 1000", "primes: 168 up to 1000"),
        ("frobnicate", "frobnicate: not a command; try help"),
        ("ps", "shell"),
        ("cat nothing", "cat: there is no file nothing"),
    ):
        SESSION.send_input(typed.encode() + b"\n")
        SESSION.run(3_000_000)
        assert f"$ {typed}\n" in console()
        assert answer in console()
    SESSION.send_input(b"exit 7\n")
    SESSION.run(3_000_000)
    assert SESSION.end is not None
    assert SESSION.end.status == 7


@pytest.mark.parametrize(("image", "kind"), [("pebble", "bare"), ("pebble-clean", "trap_emulate")])
def test_files_are_kept_on_the_disk_and_the_image_is_not_touched(image: str, kind: str) -> None:
    blank = DiskImage(bytes(DISK_SECTORS * SECTOR))
    boot(image, kind, "run=writer", blank)
    assert console().endswith("disk: 1024 sectors, blank, made ready\nwriter: 2000 bytes written and read, 0 wrong\n")
    assert blank.data == bytes(DISK_SECTORS * SECTOR)
    written = DiskImage(SESSION.vmm.pc.disk.contents())
    boot(image, kind, "run=writer", written)
    assert "disk: 1024 sectors\n" in console()


def test_a_damaged_directory_is_told_and_left_alone() -> None:
    damaged = DiskImage(b"\x55" * DISK_SECTORS * SECTOR)
    boot("pebble", "bare", "run=writer", damaged)
    assert "its directory is damaged or not ours; not used, and not touched" in console()
    assert SESSION.vmm.pc.disk.contents() == damaged.data


def test_a_key_pressed_reaches_the_shell() -> None:
    from core.devices.keyboard import scan_codes

    SESSION.load(load_program("pebble"), "bare")
    SESSION.run(3_000_000)
    SESSION.vmm.pc.keyboard.press(scan_codes("echo From Keys\n"))
    SESSION.run(3_000_000)
    assert "$ echo From Keys\nFrom Keys\n$ " in console()


def test_the_screen_shows_what_the_serial_port_says() -> None:
    from core.devices.vga import TEXT_BYTES, text_screen
    from core.layout import SCREEN_MEMORY

    boot("pebble", "bare", "run=hello")
    screen = text_screen(SESSION.vmm.physical.read(SCREEN_MEMORY, TEXT_BYTES), SESSION.vmm.pc.vga.cursor)
    rows = ["".join(cell.character for cell in row).rstrip() for row in screen.rows]
    assert "\n".join(rows).rstrip() == console().rstrip()


def test_it_idles_between_ticks() -> None:
    SESSION.load(load_program("pebble"), "bare")
    SESSION.run(LIMIT // 20)
    executed, time = SESSION.executed, SESSION.time
    SESSION.run(100_000)
    assert (SESSION.time - time) > 50 * (SESSION.executed - executed)
    assert SESSION.traps.causes[Cause.HALT] > 10


def test_the_shipped_images_are_those_of_the_manifest() -> None:
    manifest = json.loads((GUESTS / "manifest.json").read_text(encoding="utf-8"))
    build = runpy.run_path(str(GUESTS / "pebble" / "build.py"))
    assert {name: build["digest"](GUESTS / f"{name}.elf") for name in manifest} == {
        name: entry["sha256"] for name, entry in manifest.items()
    }


@pytest.mark.skipif(
    importlib.util.find_spec("ziglang") is None, reason="the compiler (extra `guests`) is not installed"
)
def test_a_fresh_build_is_the_shipped_one_byte_for_byte(tmp_path: Path) -> None:
    build = runpy.run_path(str(GUESTS / "pebble" / "build.py"))
    for name, image in build["build"](tmp_path).items():
        assert image.read_bytes() == (GUESTS / f"{name}.elf").read_bytes(), name


QEMU = shutil.which("qemu-system-i386")


@pytest.mark.skipif(QEMU is None, reason="QEMU (Debian package qemu-system-x86) is not installed")
@pytest.mark.parametrize("image", ["pebble", "pebble-clean"])
@pytest.mark.parametrize(("command_line", "status", "last"), RUNS, ids=[row[0] for row in RUNS])
def test_qemu_boots_the_same_image_to_the_same_console(
    image: str, command_line: str, status: int, last: str | None
) -> None:
    assert QEMU is not None
    done = subprocess.run(
        [
            QEMU, "-m", "16", "-kernel", str(GUESTS / f"{image}.elf"), "-append", command_line, "-display", "none",
            "-serial", "stdio", "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=1",
        ],
        capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    boot(image, "bare", command_line)
    said = done.stdout.decode().replace("\r\n", "\n")
    # the amount of free memory differs, since QEMU's firmware keeps some of it
    assert said.split("\n", 1)[1] == console().split("\n", 1)[1]
    assert done.returncode == (status << 1 | 1) & 0xFF
