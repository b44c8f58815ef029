"""The person's terminal as a guest's keyboard: key by key, unechoed (the guest echoes), while the guest runs.

A terminal otherwise hands over whole lines and echoes them itself. Ctrl-C stays the lab's; Enter is LF, Backspace BS,
as in the window's console.
"""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

_AS_IN_THE_WINDOW = bytes.maketrans(b"\r\x7f", b"\n\x08")
LOOK = 0.1  # seconds between looks for Ctrl-C while nothing comes
ONE_READ = 1024  # bytes


class Keyboard(Protocol):
    """Where what is typed comes from."""

    def taken(self) -> bytes:
        """What was typed since the last call."""

    def wait(self, seconds: float) -> None:
        """Sleep so long, or until something is typed, or a moment only."""


class Typed:
    """Collects what `read` gives, in a thread of its own; `on_key` is called there after each."""

    def __init__(self, read: Callable[[], bytes], on_key: Callable[[], None]) -> None:
        self._changed = threading.Condition()
        self._bytes = b""
        self._read, self._on_key = read, on_key
        threading.Thread(target=self._collect, name="keyboard", daemon=True).start()

    def taken(self) -> bytes:
        """See `Keyboard`."""
        with self._changed:
            taken, self._bytes = self._bytes, b""
            return taken

    def wait(self, seconds: float) -> None:
        """See `Keyboard`."""
        with self._changed:
            if not self._bytes:
                self._changed.wait(min(seconds, LOOK))

    def _collect(self) -> None:
        while typed := self._read():
            with self._changed:
                self._bytes += typed.translate(_AS_IN_THE_WINDOW)
                self._changed.notify()
            self._on_key()


@contextmanager
def keyboard(on_key: Callable[[], None]) -> Iterator[Keyboard | None]:
    """The terminal's keys inside the block; None if standard input is no terminal. Afterwards it is as it was."""
    if not sys.stdin.isatty():
        yield None
    elif sys.platform == "win32":
        import msvcrt

        yield Typed(lambda: msvcrt.getwch().encode(), on_key)
    else:
        import termios
        import tty

        terminal = sys.stdin.fileno()
        before = termios.tcgetattr(terminal)
        ended = threading.Event()
        tty.setcbreak(terminal)
        try:
            yield Typed(lambda: _keys(terminal, ended), on_key)
        finally:
            ended.set()
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _keys(terminal: int, ended: threading.Event) -> bytes:
    """The next keys, as soon as there are some; nothing once that is over."""
    while not ended.is_set():
        if select.select([terminal], [], [], LOOK)[0]:
            return os.read(terminal, ONE_READ)
    return b""
