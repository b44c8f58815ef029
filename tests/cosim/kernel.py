"""What one kernel does on purpose, in assembly, in a frame that notes every exception: run on bare and under a kind."""

from __future__ import annotations

import struct
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from core.guests.assembler import assemble
from core.guests.image import Program
from core.session import Session

from .equality import Pair

TO_USER = """
    push USER_DATA
    push USER_STACK
    push 0x202
    push USER_CODE
    mov ecx, offset user
    push ecx
    iretd
user:
    mov ax, USER_DATA
    mov ds, ax
    mov es, ax
"""
UNTIL_THE_LOG_IS_FULL = "again: int 0x31\n jmp again\n"
PAIR = Pair()


class Noted(NamedTuple):
    """One entry of the frame's log."""

    vector: int
    error: int
    eip: int
    cs: int
    eflags: int
    cr2: int
    dr6: int


@lru_cache(maxsize=64)
def kernel(text: str, *, paging: bool = False) -> Program:
    """The frame with `text` at its label `test`."""
    source = Path(__file__).with_name("kernel.s").read_text(encoding="utf-8")
    return assemble(
        f"{'.set PAGING, 1' if paging else ''}\n{source}\n.balign 16\ntest:\n{text}\njmp finish\n", "kernel.s"
    )


def ran_equal(text: str, kind: str, *, paging: bool = False) -> Session:
    """The session after the kernel ran under `kind`, having been the same as on bare, and come to its end."""
    program = kernel(text, paging=paging)
    assert PAIR.differences(program, [kind]) == []
    assert PAIR.session.end is not None
    assert PAIR.session.end.status == 0
    return PAIR.session


def log(session: Session) -> list[Noted]:
    """The exceptions that came."""
    assert session.program is not None
    symbols = session.program.symbols
    size = word(session, symbols["log_next"]) - symbols["log"]
    return [Noted(*entry) for entry in struct.iter_unpack("<7I", session.read_memory(symbols["log"], size))]


def word(session: Session, address: int) -> int:
    """A word of memory."""
    return int.from_bytes(session.read_memory(address, 4), "little")


def seen(session: Session, count: int) -> list[int]:
    """The first words that the kernel has left at `seen`."""
    assert session.program is not None
    return [word(session, session.program.symbols["seen"] + 4 * n) for n in range(count)]
