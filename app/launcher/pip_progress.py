"""pip's output as one calm line: which package of how many, how much of it, how long it takes."""

from __future__ import annotations

import re
import shutil
import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TextIO

_REQUIREMENT = re.compile(r"^([A-Za-z0-9][\w.-]*)==")
_TAKEN_UP = re.compile(r"^(?:Collecting|Processing|Requirement already satisfied:) .*\(line (\d+)\)\)")
_IGNORED = re.compile(r"^Ignoring [\w.-]+: markers")
_BYTES = re.compile(r"^Progress (\d+) of (\d+)")
_BUILDING = re.compile(r"^\s*Building wheel for ([\w.-]+)")
_INSTALLING = re.compile(r"^Installing collected packages")

MEGABYTE = 1_000_000
WORTH_COUNTING = 2 * MEGABYTE


class PipProgress:
    """Reads what ``pip install -r LOCK`` says, given the lines of the lock."""

    def __init__(self, lock: Sequence[str]) -> None:
        self._names = {
            number: found[1] for number, line in enumerate(lock, start=1) if (found := _REQUIREMENT.match(line))
        }
        self._total = len(self._names)
        self._taken_up = 0
        self._doing = "asking for packages"
        self._bytes = ""

    def read(self, line: str) -> bool:
        """Take in one line. True if the sentence to show is another now."""
        before = self.sentence()
        if found := _BYTES.match(line):
            done, size = int(found[1]), int(found[2])
            self._bytes = f" ({done / MEGABYTE:.0f} of {size / MEGABYTE:.0f} MB)" if size >= WORTH_COUNTING else ""
        elif found := _TAKEN_UP.match(line):
            self._taken_up += 1
            self._bytes = ""
            name = self._names.get(int(found[1]), "a package")
            self._doing = f"{self._taken_up} of {self._total}, {name}"
        elif _IGNORED.match(line):
            self._total -= 1  # for another system than this
        elif found := _BUILDING.match(line):
            self._bytes = ""
            self._doing = f"building {found[1]}"
        elif _INSTALLING.match(line):
            self._bytes = ""
            self._doing = f"installing {self._total} packages"
        return self.sentence() != before

    def sentence(self) -> str:
        return f"Setting up: {self._doing}{self._bytes}"


class ProgressLine:
    """One line of a terminal, repainted in place with the seconds that went by; elsewhere, a line for each change."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._in_place = self._stream.isatty()
        self._sentence = ""
        self._since = time.monotonic()
        self._painting = threading.Lock()
        self._closed = threading.Event()
        self._clock = threading.Thread(target=self._repaint_each_second, daemon=True)

    def __enter__(self) -> ProgressLine:
        if self._in_place:
            self._clock.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closed.set()
        if self._in_place:
            self._clock.join()
            self._write("\r" + " " * self._width() + "\r")

    def show(self, sentence: str) -> None:
        with self._painting:
            if not self._in_place and sentence.partition(" (")[0] != self._sentence.partition(" (")[0]:
                self._write(sentence + "\n")
            self._sentence = sentence
        self._paint()

    def _repaint_each_second(self) -> None:
        while not self._closed.wait(1.0):
            self._paint()

    def _paint(self) -> None:
        if not self._in_place or not self._sentence:
            return
        with self._painting:
            width = self._width()
            seconds = f", {time.monotonic() - self._since:.0f} s"
            text = self._sentence[: width - len(seconds)] + seconds
            self._write("\r" + text.ljust(width))

    def _width(self) -> int:
        return shutil.get_terminal_size().columns - 1  # a full last column would wrap

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
