"""The engine process: spawned, never forked, with a machine of its own on memory that the window shares.

It ends with the window, whatever way that ends: told to, by the pipe closing, or, when the guest holds it in a long
step, by a thread that watches the window's process. A person waits for its start, most of which is imports: they come
inside functions, so that a failure of them is reported too, and what a machine does not need from the start (lessons,
lab files, kinds that nobody has chosen) is imported elsewhere, when it is needed.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
import traceback
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.engine.shared_memory import SharedViews
    from core.errors import LabFault

ENDED_WITH_WINDOW = 0
COULD_NOT_START = 3


def main(connection: Connection, segment: str, first_generation: int) -> None:
    """Serve the window at the other end of `connection` until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the window's to answer
    threading.Thread(target=_end_with_window, name="window watch", daemon=True).start()
    from core.errors import LabFault

    try:
        from app.engine.shared_memory import SharedViews

        memory = SharedViews.attach(segment)
        try:
            _serve(connection, memory, first_generation)
        finally:
            memory.close()
    except LabFault as fault:
        _could_not_start(connection, fault)
    except Exception as mistake:  # noqa: BLE001 - the window must be told why there is no engine
        _could_not_start(connection, LabFault(f"The engine cannot start: {mistake!r}.", traceback.format_exc()))
    connection.close()


def _serve(connection: Connection, memory: SharedViews, first_generation: int) -> None:
    gc.disable()  # hardly anything of what imports make is garbage
    from app.engine.loop import EngineLoop
    from app.engine.metronome import Metronome
    from core.guests.catalog import load_program
    from core.machine import Backing
    from core.session import Session
    from core.timeline.timeline import Recording

    session = Session(backing=Backing(memory.ram, memory.probes), history=Recording())
    gc.freeze()
    gc.enable()
    metronome = Metronome(session.request_stop)
    try:
        EngineLoop(connection, session, load_program, memory, metronome, time.monotonic, first_generation).serve()
    finally:
        metronome.close()
        session.close()


def _could_not_start(connection: Connection, fault: LabFault) -> None:
    from app.engine import protocol

    try:
        connection.send(protocol.Faulted(fault))
        connection.close()
    finally:
        os._exit(COULD_NOT_START)


def _end_with_window() -> None:
    window = parent_process()
    if window is not None:
        wait([window.sentinel])
        os._exit(ENDED_WITH_WINDOW)
