"""Time slices: interrupts the running guest every few milliseconds, so that the engine can look at its pipe.

Slices are made by time and not by a number of instructions, because a guest may run a hundred million instructions a
second now and trap at every one of them a moment later. Where a slice ends makes no difference to the guest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

SLICE = 0.008  # seconds


class Metronome:
    """Calls `beat` from a thread of its own every `period` seconds, but only inside ``with metronome:``."""

    def __init__(self, beat: Callable[[], None], period: float = SLICE) -> None:
        self._beat = beat
        self._period = period
        self._changed = threading.Condition()
        self._running = False
        self._closed = False
        self._thread = threading.Thread(target=self._tick, name="metronome", daemon=True)
        self._thread.start()

    def __enter__(self) -> None:
        with self._changed:
            self._running = True
            self._changed.notify()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._changed:  # a beat under way is over when this is entered: none ever falls after the slice
            self._running = False
            self._changed.notify()

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _tick(self) -> None:
        with self._changed:
            while not self._closed:
                if not self._running:
                    self._changed.wait()
                elif not self._changed.wait(self._period) and self._running:
                    self._beat()
