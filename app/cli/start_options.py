"""The options that say what a guest is given on its way, for every command that starts one."""

from __future__ import annotations

import argparse

from core.guests.start import StartWith


def add_start_options(parser: argparse.ArgumentParser) -> None:
    """Add --append, --disk and --module."""
    parser.add_argument(
        "--append",
        metavar="TEXT",
        default="",
        help="command line for a multiboot guest: --append 'run=primes' for pebble",
    )
    parser.add_argument(
        "--disk",
        metavar="FILE",
        default="",
        help="raw image for the guest's disk; what the guest writes stays in the machine, the file is not changed",
    )
    parser.add_argument(
        "--module",
        metavar="FILE[:STRING]",
        action="append",
        default=[],
        help="file to be put into a multiboot guest's memory, with a string for it (default: the file's name); "
        "may be given several times",
    )


def start_with(arguments: argparse.Namespace) -> StartWith:
    """What the person gave."""
    return StartWith(arguments.append, arguments.disk, tuple(arguments.module))
