"""``ringside screenshot``: the real window on a real engine, painted without a screen."""

from __future__ import annotations

import argparse
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli import statuses
from app.cli.numbers import size, whole
from core.errors import RequestError, UnknownName

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from app.cli.offscreen import Stage

SHORT_THEMES = {"projector": "projector-light"}

DESCRIPTION = """\
Loads a guest, runs it for exactly N instructions, and saves a picture of the window as it then is. The same command
gives the same picture; your own settings are neither used nor changed.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("screenshot", help="save a picture of the window", description=DESCRIPTION)
    parser.add_argument("--guest", metavar="G", required=True, help="a shipped guest's name, or a path")
    parser.add_argument("--vmm", metavar="K", default="bare", help="the kind of monitor (default: bare)")
    parser.add_argument("--after", metavar="N", type=whole(0), default=0, help="instructions to run first (default: 0)")
    parser.add_argument("--theme", metavar="NAME", default="dark", help="dark, light, projector … (default: dark)")
    parser.add_argument("--size", metavar="WxH", type=size, default=(1280, 720), help="pixels (default: 1280x720)")
    parser.add_argument("output", metavar="OUT.png", type=Path, help="where to save it")
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Take the picture."""
    from app.cli.offscreen import shown_window
    from app.controllers.appearance_controller import MOTION_KEY, THEME_KEY
    from app.theme import THEME_NAMES

    theme = SHORT_THEMES.get(arguments.theme, arguments.theme)
    if theme not in THEME_NAMES:
        raise UnknownName(f"There is no theme named “{arguments.theme}”.", f"Choose one of: {', '.join(THEME_NAMES)}.")
    still = "yes"  # a picture shows where motions end
    with shown_window(arguments.size, {THEME_KEY: theme, MOTION_KEY: still}) as stage:
        _bring_to(stage, arguments.guest, arguments.vmm, arguments.after)
        stage.settle()
        _save(stage.window, arguments.output)
    return statuses.DONE


def _bring_to(stage: Stage, guest: str, kind: str, after: int) -> None:
    """Load, and run `after` instructions, or fewer if the guest ends or waits before."""
    engine = stage.engine
    engine.load(guest, kind)
    stage.watcher.wait_until(lambda: engine.program is not None and engine.latest is not None)
    if after:
        stage.settle()
        engine.step(after, quietly=True)  # what is shown on the way would depend on how fast this machine is
        stage.watcher.wait_until(lambda: engine.latest is not None and engine.latest.stop is not None, inf)


def _save(window: QWidget, output: Path) -> None:
    if not window.grab().save(str(output)):
        raise RequestError(f"The picture cannot be written to {output}.", "Name a .png in a folder that exists.")
