"""A report worth saving: what went wrong, and the machine as it was last seen."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from core.snapshot import Snapshot

PACKAGES = ("ringside", "PySide6-Essentials", "unicorn", "iced-x86", "numba", "numpy")
LAST_TRAPS = 20


def machine_report(problem: str, snapshot: Snapshot | None, detail: str = "") -> str:
    """Plain text: the problem, `detail`, versions, and of the last snapshot the place, registers, traps and code."""
    parts = [problem, "", _versions()]
    if detail:
        parts += ["", detail]
    if snapshot is not None:
        parts += ["", *_machine(snapshot)]
    return "\n".join(parts) + "\n"


def _versions() -> str:
    lines = [f"{platform.platform()}, Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            lines.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            lines.append(f"{package} (not installed as a package)")
    return "\n".join(lines)


def _machine(snapshot: Snapshot) -> list[str]:
    lines = [
        f"Guest {snapshot.guest} under {snapshot.kind}, after {snapshot.executed} instructions:",
        f"pc {snapshot.pc:08x}, ring {int(snapshot.ring)} (the guest believes {int(snapshot.believed)})",
        snapshot.sentence,
        "",
        "Registers (believed, real):",
    ]
    lines += [
        f"  {one.name:<7}{one.believed:0{one.bits // 4}x}  {one.real:0{one.bits // 4}x}" for one in snapshot.registers
    ]
    lines += ["", "Last traps:"]
    lines += [
        f"  {one.number} at {one.time}: {one.cause.value}, {one.pc:08x} {one.instruction}: {one.outcome}"
        for one in snapshot.traps[-LAST_TRAPS:]
    ]
    lines += ["", "Code:"]
    lines += [
        f"{'>' if one.address == snapshot.pc else ' '} {one.address:08x}  {one.code.hex():<24}{one.text}"
        for one in snapshot.listing
    ]
    return lines
