"""The arguments of every command, with help that says what each is for."""

from __future__ import annotations

import argparse

from app.cli import (
    assemble,
    bench,
    compare,
    cosim,
    disk,
    figure,
    holes,
    host,
    lesson,
    listing,
    open_file,
    rewind_check,
    run,
    screenshot,
    snapshot,
)
from app.cli.version import version

DESCRIPTION = """\
Ringside: watch x86 virtualization happen. Real guest code on an emulated CPU, under every kind of hypervisor, one
instruction at a time. Without a command the window opens.
"""
EPILOG = """\
'ringside COMMAND --help' says more about each. A first look without the window:

  ringside guests                            what there is to run
  ringside kinds                             what to run it under
  ringside run rings --vmm trap_emulate      run it, and count its traps
"""


class _Help(argparse.RawDescriptionHelpFormatter):
    """With room for the longest command beside what it does."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28)


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="ringside",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=_Help,
    )
    parser.add_argument("--version", action="version", version=f"ringside {version()}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for module in (open_file, run, host, compare, figure, cosim, rewind_check, holes, listing, lesson, assemble, disk):
        module.add(commands)
    for module in (snapshot, screenshot, bench):
        module.add(commands)
    return parser
