"""Pebble: a real operating system on a real PC, under the lab's kinds and, for proof, under QEMU."""

from __future__ import annotations

import importlib.util
import json
import re
import runpy
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from core.addresses import PAGE_SIZE, GuestPhysical
from core.devices.disk_image import SECTOR, DiskImage
from core.events import Cause, EndHow, StopReason
from core.guests.catalog import guest_named, load_program
from core.guests.modules import Module
from core.session import Session
from core.vmm import kinds_for

GUESTS = Path(__file__).parents[2] / "assets" / "guests"
SESSION = Session(recording=False)
LIMIT = 60_000_000
DISK_SECTORS = 1024
HEAD = re.compile(r"Pebble: 15\d{3} KiB free\n")

# command line, status, the last lines of the console
RUNS = [
    ("run=hello", 0, "hello by INT 0x80, world\nhello by SYSENTER, or by INT 0x80 where there is none\n"),
    ("run=hello reader", 0, "hello by INT 0x80, reader\nhello by SYSENTER, or by INT 0x80 where there is none\n"),
    ("run=counter 3", 0, "counter: 1\ncounter: 2\ncounter: 3\n"),
    ("run=primes", 0, "primes: 9592 up to 100000\n"),
    ("run=forks", 0, "forks: a tree of 15 processes, 0 frames lost\n"),
    ("run=pages", 0, "pages: 64 touched, 0 wrong\n"),
    ("run=writer", 2, "writer: no disk to write to\n"),
    ("run=modules", 0, "modules: 0\n"),
    ("run=greedy 300", 0, "greedy: done\n"),
    ("run=fault divide", 128, "fault (2): divide error, eip 40000042\n"),
    ("run=fault privileged", 141, None),
    ("run=fault port", 141, None),
    ("run=fault invalid", 134, None),
    ("run=fault write", 142, None),
    ("run=fault", 142, None),
    ("run=nothing", 127, "init: there is no program nothing\n"),
]


NANOBENCHMARKS = ("syscall", "in", "crwr", "callret", "pgfault", "divzero", "ptemod")


def boot(
    image: str, kind: str, command_line: str, disk: DiskImage | None = None, modules: tuple[Module, ...] = ()
) -> None:
    SESSION.load(load_program(image), kind, command_line=command_line, disk=disk, modules=modules)
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
    assert HEAD.match(console())
    assert last is None or console().endswith(last)


@pytest.mark.parametrize("name", NANOBENCHMARKS)
def test_each_nanobenchmark_reports_its_rounds_and_cycles(name: str) -> None:
    boot("pebble", "bare", f"run=bench {name}")
    line = console().splitlines()[-1]
    found = re.fullmatch(rf"bench {name}: 1000 rounds, (\d+) cycles, (\d+) a round", line)
    assert found, line
    cycles, each = (int(number) for number in found.groups())
    assert cycles > 1000  # on bare a cycle is an instruction, and a round has some
    assert each == cycles // 1000
    assert SESSION.end is not None
    assert SESSION.end.status == 0


def test_all_seven_nanobenchmarks_run_in_order() -> None:
    boot("pebble", "bare", "run=bench")
    assert re.findall(r"bench (\w+):", console()) == list(NANOBENCHMARKS)


def test_every_program_in_the_image_has_a_scripted_run_here() -> None:
    listed = re.findall(r"PROGRAM\((\w+)\)", (GUESTS / "pebble" / "kernel" / "programs.h").read_text("utf-8"))
    scripted = {row[0].removeprefix("run=").split()[0] for row in RUNS} | {"bench"}
    assert set(listed) - {"init", "shell"} <= scripted
    by_hand = {*(row[0] for row in RUNS), *(f"run=bench {name}" for name in NANOBENCHMARKS)}
    assert all(set(guest_named(name).runs) == by_hand for name in ("pebble", "pebble-clean", "pebble-pv"))


MODULES = (Module(b"the first\n", "first.txt"), Module(bytes(range(256)) * 33, "/boot/second with words"))


def sum_of(data: bytes) -> int:
    total = 1
    for byte in data:
        total = (total * 31 + byte) & 0xFFFF_FFFF
    return total


def modules_listed() -> str:
    names = ("first.txt", "second")
    lines = [
        f"modules: {name}, {len(module.data)} bytes, page offset 0, sum {sum_of(module.data):x}\n"
        for name, module in zip(names, MODULES, strict=True)
    ]
    return "".join(lines) + "modules: 2\n"


@pytest.mark.parametrize(("image", "kind"), [("pebble", "bare"), ("pebble-clean", "trap_emulate")])
def test_modules_lie_on_pages_with_their_bytes_and_strings(image: str, kind: str) -> None:
    boot(image, kind, "run=modules", modules=MODULES)
    assert console().endswith(modules_listed())
    SESSION.reset()
    SESSION.run(LIMIT)
    assert console().endswith(modules_listed())


def test_memory_that_holds_modules_is_not_given_away() -> None:
    boot("pebble", "bare", "run=forks", modules=MODULES)
    assert console().endswith("0 frames lost\n")
    assert SESSION.vmm.physical.read(GuestPhysical(module_address()), len(MODULES[0].data)) == MODULES[0].data


def module_address() -> int:
    end = max(segment.address + segment.size for segment in load_program("pebble").segments)
    return -(-end // PAGE_SIZE) * PAGE_SIZE


@pytest.mark.parametrize("kind", [kind for kind in kinds_for() if kind != "bare"])
@pytest.mark.parametrize("command_line", [*(row[0] for row in RUNS), "run=bench"])
def test_it_is_the_same_to_the_instruction_under_every_kind(kind: str, command_line: str) -> None:
    """The ordinary build, and the one that keeps out of the holes of x86 where a kind leaves them open."""
    image = "pebble-clean" if kinds_for()[kind].leaves_holes else "pebble"
    ends = []
    for each in ("bare", kind):
        boot(image, each, command_line)
        ends.append((SESSION.end, SESSION.executed, SESSION.time, console()))
    assert ends[1] == ends[0]
    assert ends[0][0] is not None


@pytest.mark.parametrize("kind", [kind for kind in kinds_for() if kind.startswith("hardware")])
@pytest.mark.parametrize("command_line", [row[0] for row in RUNS])
def test_the_ordinary_build_is_the_same_to_the_instruction_with_hardware_assistance(
    command_line: str, kind: str
) -> None:
    ends = []
    for each in ("bare", kind):
        boot("pebble", each, command_line)
        ends.append((SESSION.end, SESSION.executed, SESSION.time, console()))
    assert ends[1] == ends[0]
    assert ends[0][0] is not None


def test_the_ordinary_build_finds_out_that_it_is_not_in_ring_0_and_panics() -> None:
    boot("pebble", "trap_emulate", "run=hello")
    assert console().endswith("panic: interrupts are on where the kernel has turned them off\n")


# what is typed, and what the answer must be: of the lines before the next prompt, in whole
SHELL = (
    ("help", r"help  ps  run PROGRAM .*\nbench \[NAME\]  exit \[STATUS\]\nprograms: init shell hello .* bench\n"),
    ("ps", r"  pid parent state     runs  name\n    1      0 sleeping .* init\n    2      1 running .* shell\n"),
    ("run primes 1000", r"primes: 168 up to 1000\n"),
    ("run nothing", r"run: there is no program nothing\n"),
    ("run fault invalid", r"fault \(\d+\): invalid opcode, eip 4.*\nfault ended with status 134\n"),
    ("echo hello there", r"hello there\n"),
    ("ls", r""),
    ("write note some words", r""),
    ("ls", r"note\n"),
    ("cat note", r"some words\n"),
    ("cat first.txt", r"the first\n"),
    ("cat nothing", r"cat: there is no file nothing\n"),
    ("ticks", r"\d+ ticks since boot\n"),
    ("free", r"\d+ frames free\n"),
    ("bench callret", r"bench callret: 1000 rounds, \d+ cycles, \d+ a round\n"),
    ("kill 99", r"kill: there is no process 99\n"),
    ("", r""),
    ("frobnicate", r"frobnicate: not a command; try help\n"),
)


def typed(line: str) -> str:
    """Type a line at the prompt; what is said up to the next one."""
    before = len(SESSION.console)
    SESSION.inputs.send(line.encode() + b"\n")
    for _ in range(1000):
        SESSION.run(100_000)
        said = SESSION.console[before:].decode().replace("\r\n", "\n").removeprefix(line + "\n")
        if said.endswith("$ "):
            return said
    raise AssertionError(f"no prompt after {line}")


def booted(image: str, kind: str, *, disk: DiskImage | None = None, modules: tuple[Module, ...] = ()) -> None:
    """Up to the shell's prompt."""
    SESSION.load(load_program(image), kind, disk=disk, modules=modules)
    while not SESSION.console.endswith(b"$ "):
        assert SESSION.run(100_000) is StopReason.BUDGET


@pytest.mark.parametrize(("image", "kind"), [("pebble", "bare"), ("pebble-clean", "trap_emulate")])
def test_the_shell_does_each_of_its_commands(image: str, kind: str) -> None:
    booted(image, kind, disk=DiskImage(bytes(DISK_SECTORS * SECTOR)), modules=MODULES)
    for line, answer in SHELL:
        assert re.fullmatch(answer + r"\$ ", typed(line)), line
    SESSION.inputs.send(b"exit 7\n")
    SESSION.run(300_000)
    assert SESSION.end is not None
    assert SESSION.end.status == 7


def test_a_program_runs_behind_the_shell_until_it_is_killed() -> None:
    booted("pebble", "bare")
    assert typed("run greedy &") == "$ "
    pid = re.search(r"(\d+) +2 ready +\d+  greedy", typed("ps"))
    assert pid
    assert typed(f"kill {pid[1]}") == "$ "
    assert re.search(rf"{pid[1]} +2 zombie +\d+  greedy", typed("ps"))  # until its parent waits for a child
    typed("run hello")
    assert "greedy" not in typed("ps")


def test_what_was_typed_before_it_listened_is_not_lost() -> None:
    SESSION.load(load_program("pebble"), "bare")
    SESSION.inputs.send(b"echo early\nexit 3\n")
    SESSION.run(LIMIT)
    assert "early\n$ " in console()
    assert SESSION.end is not None
    assert SESSION.end.status == 3


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

    booted("pebble", "bare")
    SESSION.vmm.pc.keyboard.press(scan_codes("echo From Keys\n"))
    SESSION.run(300_000)
    assert "$ echo From Keys\nFrom Keys\n$ " in console()


def test_the_screen_shows_what_the_serial_port_says() -> None:
    from core.devices.vga import TEXT_BYTES, text_screen
    from core.layout import SCREEN_MEMORY

    boot("pebble", "bare", "run=hello")
    screen = text_screen(SESSION.vmm.physical.read(SCREEN_MEMORY, TEXT_BYTES), SESSION.vmm.pc.vga.cursor)
    rows = ["".join(cell.character for cell in row).rstrip() for row in screen.rows]
    assert "\n".join(rows).rstrip() == console().rstrip()


def test_it_idles_between_ticks() -> None:
    booted("pebble", "bare")
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


needs_qemu = pytest.mark.skipif(QEMU is None, reason="QEMU (Debian package qemu-system-x86) is not installed")


@needs_qemu
@pytest.mark.parametrize("image", ["pebble", "pebble-clean"])
@pytest.mark.parametrize(("command_line", "status", "last"), RUNS, ids=[row[0] for row in RUNS])
def test_qemu_boots_the_same_image_to_the_same_console(
    image: str, command_line: str, status: int, last: str | None
) -> None:
    said, ended = qemu(image, "-append", command_line)
    boot(image, "bare", command_line)
    assert after_head(said) == after_head(console())
    assert ended == (status << 1 | 1) & 0xFF


@needs_qemu
def test_qemu_gives_the_same_modules() -> None:
    with TemporaryDirectory() as folder:
        files = [Path(folder, "first.txt"), Path(folder, "second")]
        for file, module in zip(files, MODULES, strict=True):
            file.write_bytes(module.data)
        said, ended = qemu("pebble", "-append", "run=modules", "-initrd", f"{files[0]},{files[1]} with words")
    assert ended == 1  # that is status 0
    assert after_head(said) == "disk: none\n" + modules_listed()


@needs_qemu
def test_qemu_leaves_the_same_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(DISK_SECTORS * SECTOR))
    boot("pebble", "bare", "run=writer", DiskImage(disk.read_bytes()))
    said, ended = qemu("pebble", "-append", "run=writer", "-drive", f"file={disk},format=raw,if=ide")
    assert ended == 1  # that is status 0
    assert after_head(said) == after_head(console())
    assert disk.read_bytes() == SESSION.vmm.pc.disk.contents()


@needs_qemu
def test_qemu_runs_every_nanobenchmark() -> None:
    said, ended = qemu("pebble", "-append", "run=bench")
    assert ended == 1  # that is status 0
    boot("pebble", "bare", "run=bench")
    cycles = re.compile(r"\d+ cycles, \d+ a round")  # of another clock
    assert cycles.sub("", after_head(said)) == cycles.sub("", after_head(console()))


def qemu(image: str, *options: str) -> tuple[str, int]:
    """Console of a run under QEMU, and how QEMU ended: with twice the status and one."""
    assert QEMU is not None
    done = subprocess.run(
        [
            QEMU, "-m", "16", "-kernel", str(GUESTS / f"{image}.elf"), *options, "-display", "none",
            "-serial", "stdio", "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=1",
        ],
        capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.stdout.decode().replace("\r\n", "\n"), done.returncode


def after_head(text: str) -> str:
    """All but the first line: the amount of free memory differs, since QEMU's firmware keeps some of it."""
    return text.split("\n", 1)[1]
