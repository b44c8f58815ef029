"""``ringside open FILE``, or just ``ringside FILE``: the window with a lab, or with a guest."""

from __future__ import annotations

import argparse
from pathlib import Path

from core.errors import ImageError

DESCRIPTION = """\
Opens the window with the lab that was saved in FILE, exactly as it was, or with the guest in it at power-on. A lab
file runs no code; one that is damaged, foreign or newer is refused in a sentence. The command may be left out.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    words = "open the window with a lab, a VM or a guest (also: ringside FILE)"
    parser = commands.add_parser("open", help=words, description=DESCRIPTION)
    parser.add_argument(
        "file", metavar="FILE", type=Path, help="a lab file (.ringside), a VM file (.ringvm), an image, or source"
    )
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Open the window; returns the exit status when it is closed."""
    from app.cli.window import open_window

    if not arguments.file.exists():
        raise ImageError("There is no such file.", "Check the path.", str(arguments.file))
    return open_window(str(arguments.file.absolute()))


def is_short_for_it(given: list[str]) -> bool:
    """Is this ``ringside FILE``, whether the file is there or not? No command has a dot or a slash in its name."""
    return len(given) == 1 and not given[0].startswith("-") and any(sign in given[0] for sign in "./\\")
