"""``ringside disk``: a blank disk image for a guest."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.cli import statuses
from app.cli.numbers import whole

EPILOG = """\
examples:
  ringside disk work.img                                        a blank disk of 1 MiB
  ringside run pebble --append run=writer --disk work.img --save-disk work.img
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "disk",
        help="make a blank disk image",
        description="Makes a file with a blank disk in it. Pebble makes a blank disk its own when it finds one.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the file to make; one that is there is left alone")
    parser.add_argument("--size", metavar="MIB", type=whole(1), default=1, help="MiB (default: 1, at most 1024)")
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Make it; returns the exit status."""
    from core.devices.disk_image import LARGEST, SECTOR, make_disk
    from core.errors import ImageError

    size = arguments.size << 20
    if size > LARGEST:
        raise ImageError(f"A disk of {arguments.size} MiB is more than 1024.", "Make a smaller one.")
    make_disk(arguments.file, size)
    print(f"{arguments.file}: a blank disk of {size // SECTOR:,} sectors.")
    return statuses.DONE
