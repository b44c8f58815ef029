"""pip's failures as one sentence, with what to do about it."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Fault:
    """A failure that is known by a phrase in pip's output. ``{0}`` in the sentence is what the phrase's group found."""

    sign: re.Pattern[str]
    problem: str
    mend: str


def _sign(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_HERE = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"

# In this order: a network that fails also makes pip say that it found no matching version.
FAULTS = (
    Fault(
        _sign(r"no space left on device|not enough space on the disk|disk quota exceeded"),
        "The disk is full.",
        "Ringside needs about 1 GB; make room and start again.",
    ),
    Fault(
        _sign(r"THESE PACKAGES DO NOT MATCH THE HASHES"),
        "A downloaded package is not the one that Ringside was tested with, so it was not installed.",
        "Start again; if it happens again, ask whoever runs the package index you use.",
    ),
    Fault(
        _sign(r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError"),
        "The package index could not be trusted: its certificate was not accepted.",
        "Check the clock and, behind a company's proxy, pip's setting 'cert'.",
    ),
    Fault(
        _sign(
            r"Failed to establish a new connection|NewConnectionError|Temporary failure in name resolution"
            r"|NameResolutionError|getaddrinfo failed|nodename nor servname|Network is unreachable|Connection refused"
            r"|ConnectTimeoutError|Read timed out|ReadTimeoutError|ProxyError|Connection (?:broken|aborted|reset)"
        ),
        "The packages could not be downloaded: the network or the package index does not answer.",
        "Check the connection and start again.",
    ),
    Fault(
        _sign(r"can't find Rust compiler|rustc[^\n]*not found|cargo[^\n]*(?:not found|is not installed)"),
        f"iced-x86 has no ready-made package for {_HERE}, and building it needs Rust.",
        "Install Rust from https://rustup.rs and start again.",
    ),
    Fault(
        _sign(r"(?:satisfies the requirement|No matching distribution found for) ([\w.-]+)"),
        f"There is no package {{0}} for {_HERE}.",
        "Use a Python that the table in README.md names.",
    ),
    Fault(
        _sign(r"Failed (?:building wheel for|to build) '?([\w.-]+)|metadata-generation-failed|subprocess-exited-with"),
        f"A package ({{0}}) has no ready-made form for {_HERE} and could not be built here.",
        "Use a Python that the table in README.md names.",
    ),
    Fault(
        _sign(r"Permission denied|Access is denied"),
        "The environment cannot be written.",
        "Close every Ringside window, see that the checkout is yours, and start again.",
    ),
)


def explain(output: str, log: Path) -> tuple[str, str]:
    """The problem and its mend, for what pip said. The full text is in `log`."""
    rest = f"The full log is {log}."
    for fault in FAULTS:
        if found := fault.sign.search(output):
            name = next((group for group in found.groups() if group), "see the log")
            return fault.problem.format(name), f"{fault.mend} {rest}"
    return "The packages could not be installed.", rest
