"""Where each key of a TOML document stands.

The standard library's parser tells what a document says, not where. This scanner walks the text of a document that
`tomllib` has already accepted, so it needs to know only where keys and values begin and end. A path is a tuple of keys
and indices: the second check of the first step is ``("step", 0, "check", 1)``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence

Path = tuple[str | int, ...]

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = (
    re.compile(r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})', re.DOTALL),
    re.compile(r"'''.*?'''(?:'{0,2})", re.DOTALL),
    re.compile(r'"(?:[^"\\]|\\.)*"'),
    re.compile(r"'[^']*'"),
)
_SCALAR = re.compile(r"[^,\]}#\n]+")


def lines_of(text: str) -> dict[Path, int]:
    """The line (from 1) of every key, table and array element of `text`, which must be valid TOML."""
    return _Scanner(text).scan()


def line_of(lines: dict[Path, int], path: Path) -> int:
    """The line of `path`, or of the nearest table around it that the document has (1 for the whole document)."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines: dict[Path, int] = {}
        self._tables: dict[Path, int] = {}  # arrays of tables, and how many elements each has so far

    def scan(self) -> dict[Path, int]:
        table: Path = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._peek("["):
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self._lines

    def _header(self) -> Path:
        array = self._peek("[[")
        self._at += 2 if array else 1
        keys = self._keys()
        self._at += 2 if array else 1
        path: Path = ()
        for key in keys[:-1]:
            path = self._latest(self._note((*path, key)))
        path = (*path, keys[-1])
        if array:
            self._note(path)
            self._tables[path] = self._tables.get(path, 0) + 1
            return self._note(self._latest(path))
        return self._note(path)

    def _latest(self, path: Path) -> Path:
        """Where keys below `path` go: the newest element if it is an array of tables."""
        return (*path, self._tables[path] - 1) if path in self._tables else path

    def _pair(self, table: Path) -> None:
        begin = self._at
        keys = self._keys()
        path = table
        for key in keys:
            path = self._note((*path, key), begin)
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_SPACE)
            if bare := _BARE_KEY.match(self._text, self._at):
                keys.append(bare[0])
                self._at = bare.end()
            else:
                quoted = self._string()
                keys.append(tomllib.loads(f"key = {quoted}")["key"])
            self._skip(_SPACE)
            if not self._peek("."):
                return keys
            self._at += 1

    def _value(self, path: Path) -> None:
        if self._peek("["):
            self._elements(path)
        elif self._peek("{"):
            self._at += 1
            self._skip(_BLANK)
            while not self._peek("}"):
                self._pair(path)
                self._next_element()
            self._at += 1
        elif self._peek('"') or self._peek("'"):
            self._string()
        else:
            self._skip(_SCALAR)

    def _elements(self, path: Path) -> None:
        self._at += 1
        self._skip(_BLANK)
        index = 0
        while not self._peek("]"):
            self._value(self._note((*path, index)))
            self._next_element()
            index += 1
        self._at += 1

    def _next_element(self) -> None:
        self._skip(_BLANK)
        if self._peek(","):
            self._at += 1
            self._skip(_BLANK)

    def _string(self) -> str:
        for pattern in _STRINGS:
            if found := pattern.match(self._text, self._at):
                self._at = found.end()
                return found[0]
        raise ValueError(f"no TOML string at character {self._at}")

    def _note(self, path: Path, at: int | None = None) -> Path:
        self._lines.setdefault(path, self._text.count("\n", 0, self._at if at is None else at) + 1)
        return path

    def _peek(self, text: str) -> bool:
        return self._text.startswith(text, self._at)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        if found := pattern.match(self._text, self._at):
            self._at = found.end()


def spelled(path: Sequence[str | int]) -> str:
    """A path as people write it: ``step[1].check[2]``, counting from 1 as people do."""
    words = ""
    for part in path:
        words += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if words else part
    return words
