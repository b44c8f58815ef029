"""``ringside run`` in a terminal: the person's keys go to the guest, and the terminal is left as it was found."""

from __future__ import annotations

import os
import subprocess
import sys
from math import inf

import pytest

from app.cli.run import run
from core.events import EndHow
from core.guests.catalog import load_program
from core.session import Session

PROMPT = b"$ "


class Fingers:
    """Types each of `lines` when the guest has nothing to do, as a person does who reads the prompt."""

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines
        self._ready = b""
        self.slept = 0

    def taken(self) -> bytes:
        taken, self._ready = self._ready, b""
        return taken

    def wait(self, seconds: float) -> None:
        assert 0 < seconds < inf
        self.slept += 1
        if self._lines:
            self._ready = self._lines.pop(0)


def test_what_is_typed_while_the_guest_sleeps_is_answered() -> None:
    session, fingers, shown = Session(recording=False), Fingers([b"echo hi there\n", b"exit\n"]), []
    session.load(load_program("pebble"), "bare")
    outcome = run(session, None, shown.append, fingers)
    session.close()
    assert (outcome.how, outcome.status) == (EndHow.EXIT, 0)
    assert b"\nhi there\n" in b"".join(shown).replace(b"\r", b"")
    assert fingers.slept >= 2


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pseudo-terminal")
def test_a_terminal_gives_its_keys_one_by_one_and_is_then_as_before() -> None:
    import pty
    import termios

    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "run", "pebble"], stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    said = b""
    while not said.endswith(PROMPT):
        said += process.stdout.read1(1)  # type: ignore[attr-defined] # a BufferedReader has it
    os.write(ours, b"echo abd\x7fc\r")
    while not said.endswith(b"abc\r\n" + PROMPT):
        said += process.stdout.read1(1)  # type: ignore[attr-defined] # a BufferedReader has it
    os.write(ours, b"exit\r")
    _rest, words = process.communicate()
    assert process.returncode == 0, words
    assert termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)
