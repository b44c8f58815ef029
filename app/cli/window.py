"""``ringside`` without arguments: the window on an engine, until it is closed."""

from __future__ import annotations

import gc
import os
import signal
import sys
import traceback
from types import TracebackType
from typing import TYPE_CHECKING

from app.launcher import system_libraries
from core.errors import LabFault

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from app.engine.client import Engine


def open_window(path: str = "") -> int:
    """Open the window, with the lab or guest in the file `path` if one is given; returns when it is closed. A UserError
    says what of this system is missing for it: Qt would end the process."""
    if sys.platform == "linux":
        system_libraries.require(os.environ)
    collects = gc.isenabled()
    gc.disable()  # hardly anything of what imports and the window make is garbage; from here on `GuiGarbage` collects
    application = make_application()
    from app.engine.client import Engine

    engine = Engine()  # its process starts up while the window is imported
    hook, interrupt = sys.excepthook, signal.getsignal(signal.SIGINT)
    try:
        from PySide6.QtCore import QTimer

        from app.main_window import MainWindow, labs_folder

        window = MainWindow(engine)
        # later, since Python hears of it anywhere, in the midst of painting too
        signal.signal(signal.SIGINT, lambda *_: QTimer.singleShot(0, window.close))
        sys.excepthook = _Witness(engine)
        window.open(path, labs_folder())
        gc.freeze()  # what is here now stays; to look at it in each full collection would take two frames' time
        return application.exec()
    finally:
        sys.excepthook = hook
        signal.signal(signal.SIGINT, interrupt)
        engine.close()
        gc.unfreeze()
        if collects:
            gc.enable()


def make_application() -> QApplication:
    """Qt's application, named so that settings and the desktop know it."""
    from PySide6.QtWidgets import QApplication

    application = QApplication.instance()
    if not isinstance(application, QApplication):
        application = QApplication(["ringside"])
    application.setApplicationName("Ringside")
    application.setOrganizationName("Ringside")
    application.setDesktopFileName("ringside")
    return application


class _Witness:
    """Tells the person of a mistake of ours in a slot, where Qt would only print it, with a report to save."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
        report = "".join(traceback.format_exception(kind, error, at))
        sys.stderr.write(report)
        self._engine.faulted.emit(LabFault(f"Ringside made a mistake: {error!r}.", report))
