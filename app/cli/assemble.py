"""``ringside assemble``: a guest's source into an image, with every error at its line and column."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.cli import statuses
from core.errors import RequestError

DESCRIPTION = """\
Assembles guest source into an ELF32 image that 'ringside run', the window, or a multiboot loader can take. The
assembler is LLVM's; the syntax is Intel's, without prefixes. The entry is the label _start.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("assemble", help="assemble a guest's source into an image", description=DESCRIPTION)
    parser.add_argument("file", metavar="FILE", type=Path, help="the source; files it includes lie beside it")
    parser.add_argument("-o", "--output", metavar="OUT", type=Path, required=True, help="the image to write")
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Assemble and write; if there is an error, nothing is written."""
    from core.guests.assembler import assemble_to_elf, read_source

    source: Path = arguments.file
    image, _ = assemble_to_elf(str(source), read_source(source), source.parent)
    try:
        arguments.output.write_bytes(image)
    except OSError as error:
        raise RequestError(
            f"The image cannot be written to {arguments.output}: {error.strerror}.", "Choose another place."
        ) from None
    print(f"{arguments.output}: {len(image):,} bytes")
    return statuses.DONE
