"""``ringside assemble``: a guest's source into an image, with every error at its line and column."""

from __future__ import annotations

import argparse
from pathlib import Path

DESCRIPTION = """\
Assembles guest source into an ELF32 image that 'ringside run', the window or any multiboot loader can take. The
assembler is LLVM's, in Intel syntax.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("assemble", help="assemble a guest's source into an image", description=DESCRIPTION)
    parser.add_argument("file", metavar="FILE", type=Path, help="the source, .s or .S")
    parser.add_argument("-o", "--output", metavar="OUT", type=Path, required=True, help="the image to write")
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Assemble and write; nothing is written if there is an error."""
    from core.guests.assembler import assemble

    image = assemble(arguments.file)
    return statuses.DONE
