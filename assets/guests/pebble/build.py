"""Build Pebble: `python assets/guests/pebble/build.py` writes the images and the manifest of their hashes.

Needs the `guests` extra (one wheel with clang and lld). The build is reproducible: no time, no path and no build id
goes into an image, so that two builds are the same byte for byte.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHIPPED = HERE.parent
MANIFEST = SHIPPED / "manifest.json"
TARGET = ["-target", "x86-freestanding-none"]
COMPILE = [
    *TARGET, "-mcpu=pentium3-mmx-sse", "-msoft-float", "-std=c11", "-Os", "-g", "-gdwarf-4", "-fno-omit-frame-pointer",
    "-ffreestanding", "-fno-pic", "-fno-stack-protector", "-fno-sanitize=all", "-fno-builtin", "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables", "-fno-ident", "-Wall", "-Wextra", "-Werror",
]  # fmt: skip
LINK = [*TARGET, "-nostdlib", "-static", "-Wl,--build-id=none", "-Wl,-z,norelro", "-Wl,-z,noexecstack"]
VARIANTS = {"pebble": [], "pebble-clean": ["-DPEBBLE_CLEAN"], "pebble-pv": ["-DPEBBLE_PV"]}
# of the kernel's sources, those of a PC and those that stand in their place under a hypervisor
PC_ONLY = {"segments.c", "idt.c", "timer.c", "serial.c", "keyboard.c", "disk.c", "lab.c"}
PV_ONLY = {"pv.c"}
# command lines that together run every program in every way that it knows; each comes to its end by itself
RUNS = [
    "run=hello", "run=hello reader", "run=counter 3", "run=primes", "run=forks", "run=pages", "run=writer",
    "run=modules", "run=greedy 300", "run=fault divide", "run=fault privileged", "run=fault port", "run=fault invalid",
    "run=fault write", "run=fault", "run=nothing", "run=bench syscall", "run=bench in", "run=bench crwr",
    "run=bench callret", "run=bench pgfault", "run=bench divzero", "run=bench ptemod",
]  # fmt: skip
# what a program prints of its own speed, which another build of the kernel changes: a regular expression
OWN_SPEED = r"\d+(?= cycles, )|(?<= cycles, )\d+(?= a round)"
ABOUT = {
    "pebble": (
        "Pebble",
        "A small Unix-like system: processes, paging, a shell on the console; locks interrupts with PUSHF and POPF.",
    ),
    "pebble-clean": (
        "Pebble, clean",
        "The same system, built without instructions that misbehave outside ring 0, for classic trap-and-emulate.",
    ),
    "pebble-pv": (
        "Pebble, paravirtual",
        "The same system, ported to a hypervisor that it calls: for paravirtualization alone.",
    ),
}


def zig(*arguments: str, folder: Path) -> None:
    """Run zig's C compiler in `folder`."""
    subprocess.run([sys.executable, "-m", "ziglang", "cc", *arguments], cwd=folder, check=True)


def compiler_folder() -> Path:
    """Where the compiler is installed; its name must not reach the images."""
    found = importlib.util.find_spec("ziglang")
    if found is None or found.origin is None:
        sys.exit("The compiler is missing: install the `guests` extra (pip install -e .[guests]).")
    return Path(found.origin).parent


def compile_all(sources: list[Path], into: Path, tree: Path, flags: list[str]) -> list[str]:
    """Object files of `sources`, whose paths in the debug information begin with `pebble/`."""
    objects = []
    for source in sources:
        target = into / f"{source.name}.o"
        mapped = [f"-ffile-prefix-map={tree}=pebble", f"-ffile-prefix-map={compiler_folder()}=zig"]
        name = str(source.relative_to(tree))
        zig(*COMPILE, *flags, *mapped, "-fdebug-compilation-dir=pebble", "-c", name, "-o", str(target), folder=tree)
        objects.append(str(target))
    return objects


def left_out_of(name: str) -> set[str]:
    """The kernel's files that this build does without."""
    return PC_ONLY if "-DPEBBLE_PV" in VARIANTS[name] else PV_ONLY


def build(into: Path, tree: Path = HERE) -> dict[str, Path]:
    """Build every variant into the folder `into`; gives the images by name."""
    images = {}
    for name, flags in VARIANTS.items():
        work = into / f"work-{name}"
        (work / "user").mkdir(parents=True)
        library = compile_all([tree / "user" / "lib.c"], work, tree, [])
        for source in sorted((tree / "user").glob("*.c")):
            if source.stem == "lib":
                continue
            (work / source.stem).mkdir()
            objects = compile_all([source], work / source.stem, tree, [])
            program = work / "user" / f"{source.stem}.elf"
            zig(*LINK, "-Wl,-T,user/user.ld", *objects, *library, "-o", str(program), folder=tree)
        kernel = work / "kernel"
        kernel.mkdir()
        left_out = left_out_of(name)
        sources = sorted((tree / "kernel").glob("*.c")) + sorted((tree / "kernel").glob("*.S"))
        sources = [source for source in sources if source.name not in left_out]
        objects = compile_all(sources, kernel, tree, [*flags, f"-Wa,-I{work}", "-I", str(work)])
        images[name] = into / f"{name}.elf"
        zig(*LINK, "-Wl,-T,kernel/kernel.ld", *objects, "-o", str(images[name]), folder=tree)
    return images


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Build, put the images beside this folder, write the manifest."""
    with tempfile.TemporaryDirectory() as folder:
        manifest = {}
        for name, image in build(Path(folder)).items():
            (SHIPPED / image.name).write_bytes(image.read_bytes())
            title, summary = ABOUT[name]
            manifest[name] = {
                "title": title,
                "summary": summary,
                "sources": HERE.name,
                "interface": "paravirt" if "-DPEBBLE_PV" in VARIANTS[name] else "pc",
                "defines": [flag.removeprefix("-D") for flag in VARIANTS[name]],
                "left_out": sorted(left_out_of(name)),
                "runs": RUNS,
                "own_speed": OWN_SPEED,
                "sha256": digest(image),
            }
    MANIFEST.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
