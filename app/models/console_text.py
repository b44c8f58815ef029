"""Bytes from the guest's serial port made readable: UTF-8 where it is, line ends, control characters shown as signs."""

from __future__ import annotations

import codecs

from core.snapshot import Snapshot

MOST_AT_ONCE = 64 * 1024
LONGEST_LINE = 2_000
BACKSPACE = "\b"

_PICTURES = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "␡"}
for _kept in (0x08, 0x09, 0x0A):
    del _PICTURES[_kept]


class ConsoleText:
    """Turns increments of output into text to append. Keeps only what it must between two of them."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything, as at power-on."""
        self.length = 0  # bytes seen or known to be missed
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._column = 0
        self._held_return = False

    def take(self, snapshot: Snapshot) -> str:
        """The text that `snapshot` adds; a note stands in for bytes that are not shown. Twice the same adds nothing."""
        fresh = snapshot.console_length - self.length
        if fresh <= 0:
            return ""
        data = snapshot.console[-fresh:] if fresh < len(snapshot.console) else snapshot.console
        data = data[-MOST_AT_ONCE:]
        self.length = snapshot.console_length
        missed = fresh - len(data)
        text = self.decode(data)
        if missed:
            text = f"\n[{missed:,} bytes not shown]\n{text}"
        return text

    def decode(self, data: bytes) -> str:
        """Those bytes as text. CR LF is one line end; a CR alone too, for a guest that sends only that."""
        text = self._decoder.decode(data)
        if self._held_return:
            text = "\r" + text
        self._held_return = text.endswith("\r")
        if self._held_return:
            text = text[:-1]
        text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_PICTURES)
        return self._break_long_lines(text)

    def _break_long_lines(self, text: str) -> str:
        if self._column + len(text) <= LONGEST_LINE:
            end = text.rfind("\n")
            self._column = self._column + len(text) if end < 0 else len(text) - end - 1
            return text
        lines = []
        for line in text.split("\n"):
            room = LONGEST_LINE - self._column
            pieces = [line[:room], *(line[at : at + LONGEST_LINE] for at in range(room, len(line), LONGEST_LINE))]
            self._column = 0
            lines.append("\n".join(pieces))
        self._column = len(lines[-1].rsplit("\n", 1)[-1])
        return "\n".join(lines)
