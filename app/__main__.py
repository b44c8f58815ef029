"""``ringside``: without arguments the window, with arguments the command line."""

from __future__ import annotations

import io
import multiprocessing
import os
import sys
import traceback
from collections.abc import Sequence

from app.cli import statuses
from app.cli.open_file import is_short_for_it
from app.cli.parser import build_parser
from core.errors import LabFault, UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments (default: the process's own) ask for; returns the exit status."""
    multiprocessing.freeze_support()
    given = sys.argv[1:] if arguments is None else list(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name or a word that it cannot spell must not end the program
            stream.reconfigure(errors="backslashreplace")
    try:
        if not given:
            from app.cli.window import open_window

            return open_window()
        if is_short_for_it(given):
            given = ["open", *given]
        parsed = build_parser().parse_args(given)
        status: int = parsed.main(parsed)
        return status
    except UserError as error:
        print(f"ringside: {error}", file=sys.stderr)
        return statuses.USER_ERROR
    except LabFault as fault:
        print(f"ringside: {fault}\n{fault.report}".rstrip(), file=sys.stderr)
        return statuses.LAB_FAULT
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python's last flush must not fail too
        return statuses.DONE
    except KeyboardInterrupt:
        return statuses.INTERRUPTED
    except Exception as mistake:  # noqa: BLE001 - told as what it is: ours, and not the person's
        print(f"ringside: Ringside made a mistake: {mistake!r}\n{traceback.format_exc()}", file=sys.stderr, end="")
        return statuses.LAB_FAULT


if __name__ == "__main__":
    sys.exit(main())
