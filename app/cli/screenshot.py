"""``ringside screenshot``: the real window on a real engine, painted without a screen."""

from __future__ import annotations

import argparse
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from app.cli import statuses
from core.errors import RequestError, UnknownName

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from app.cli.offscreen import Watcher
    from app.engine.client import Engine

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
    parser.add_argument("--after", metavar="N", type=_whole, default=0, help="instructions to run first (default: 0)")
    parser.add_argument("--theme", metavar="NAME", default="dark", help="dark, light, projector … (default: dark)")
    parser.add_argument("--size", metavar="WxH", type=_size, default=(1280, 720), help="pixels (default: 1280x720)")
    parser.add_argument("output", metavar="OUT.png", type=Path, help="where to save it")
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Take the picture."""
    from app.cli.offscreen import Watcher, use_no_screen
    from app.cli.window import make_application
    from app.theme import THEME_NAMES

    theme = SHORT_THEMES.get(arguments.theme, arguments.theme)
    if theme not in THEME_NAMES:
        raise UnknownName(f"There is no theme named “{arguments.theme}”.", f"Choose one of: {', '.join(THEME_NAMES)}.")
    use_no_screen()
    make_application()
    from PySide6.QtCore import QSettings

    from app.controllers.appearance_controller import MOTION_KEY, THEME_KEY
    from app.engine.client import Engine
    from app.main_window import MainWindow

    engine = Engine()
    try:
        with TemporaryDirectory() as folder:
            settings = QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat)
            settings.setValue(THEME_KEY, theme)
            settings.setValue(MOTION_KEY, "yes")  # a picture shows where motions end
            window, watcher = MainWindow(engine, settings), Watcher(engine)
            window.layout_.restore()
            window.resize(*arguments.size)
            window.show()
            _bring_to(engine, watcher, arguments.guest, arguments.vmm, arguments.after)
            watcher.settle()
            _save(window, arguments.output)
            window.close()
    finally:
        engine.close()
    return statuses.DONE


def _bring_to(engine: Engine, watcher: Watcher, guest: str, kind: str, after: int) -> None:
    """Load, and run `after` instructions, or fewer if the guest ends or waits before."""
    engine.load(guest, kind)
    watcher.wait_until(lambda: engine.program is not None and engine.latest is not None)
    if after:
        engine.step(after)
        watcher.wait_until(lambda: engine.latest is not None and engine.latest.stop is not None, inf)


def _save(window: QWidget, output: Path) -> None:
    if not window.grab().save(str(output)):
        raise RequestError(f"The picture cannot be written to {output}.", "Name a .png in a folder that exists.")


def _whole(text: str) -> int:
    number = int(text.replace(",", ""))
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is negative")
    return number


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    try:
        size = int(width), int(height)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no size; write it like 1280x720") from None
    if min(size) < 1 or max(size) > 10_000:
        raise argparse.ArgumentTypeError(f"{text} is no size a window can have")
    return size
