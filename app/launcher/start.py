"""What the person asked for, the environment for it, and handing over.

Once the environment is ready this costs one hash of the locks; then the process *becomes* the program (on Windows,
which cannot, it waits for it).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from app.launcher import system_libraries
from app.launcher.environment import Environment, Extent
from core.errors import UserError

FAILED = 2  # as on the command line: what was asked cannot be done
INTERRUPTED = 130
# What a person's shell may hold for other Pythons, and what would put foreign modules before the locked ones.
FOREIGN_SETTINGS = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP")


class Screen(Enum):
    """What a command needs of the window system."""

    NONE = "none"
    OFFSCREEN = "offscreen"
    REAL = "real"


@dataclass(frozen=True, slots=True)
class Wish:
    """What to run in the environment: `arguments` follow the interpreter, `extent` says how much must be installed."""

    arguments: tuple[str, ...]
    extent: Extent = Extent.RUN
    screen: Screen = Screen.NONE
    from_checkout: bool = False


def understand(arguments: Sequence[str]) -> Wish:
    """What these command-line arguments ask for."""
    # -P keeps the person's own folder, which may hold an "app" too, from standing before ours.
    match list(arguments):
        case []:
            return Wish(("-P", "-m", "app"), screen=Screen.REAL)
        case ["test", *rest]:
            return Wish(("-P", "-m", "pytest", *rest), Extent.DEV, Screen.OFFSCREEN, from_checkout=True)
        case [("screenshot" | "bench"), *_]:
            return Wish(("-P", "-m", "app", *arguments), screen=Screen.OFFSCREEN)
        case _:
            return Wish(("-P", "-m", "app", *arguments))


def start(root: str, arguments: Sequence[str]) -> int:
    """Set up if need be, then run what was asked for. Returns a status only if there is nothing to hand over to."""
    wish = understand(arguments)
    environment = Environment(Path(root))
    try:
        environment.make_ready(wish.extent)
        settings = settings_for(wish, os.environ)
        if sys.platform == "linux" and wish.screen is not Screen.NONE:
            system_libraries.require(settings)
    except UserError as error:
        print(f"ringside: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("\nringside: set-up was interrupted; the next start does it again.", file=sys.stderr)
        return INTERRUPTED
    if wish.from_checkout:
        os.chdir(root)
    return hand_over([str(environment.python), *wish.arguments], settings)


def settings_for(wish: Wish, inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment variables for the program."""
    settings = {name: value for name, value in inherited.items() if name not in FOREIGN_SETTINGS}
    if wish.screen is Screen.OFFSCREEN:
        settings.setdefault("QT_QPA_PLATFORM", "offscreen")
    return settings


def hand_over(command: list[str], settings: dict[str, str]) -> int:
    """Become this command, or where a process cannot, wait for it and return its status."""
    sys.stdout.flush()
    if os.name != "nt":
        os.execve(command[0], command, settings)
    with subprocess.Popen(command, env=settings) as program:
        while True:
            try:
                return program.wait()
            except KeyboardInterrupt:
                continue  # the program got it too, and decides
