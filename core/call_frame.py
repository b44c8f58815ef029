"""One activation of a function, as facts: what a call stack is made of."""

from __future__ import annotations

from dataclasses import dataclass

from core.events import Ring


@dataclass(frozen=True, slots=True)
class Argument:
    """A parameter and its value as a person writes it: a number, an address, ``0x7ffffeff "3"``, an enumerator."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class CallFrame:
    """A function that has been entered and not yet left.

    function     its name; empty where no symbol tells
    arguments    those whose place is known at `address`; the others are left out, never guessed
    address      linear address of the instruction it will execute next
    file, line   where that stands in the source; an empty name if it is not known
    ring         the ring it really runs in
    program      which of the guest's programs it belongs to; empty for the guest itself
    inlined      it has no activation of its own: the compiler put its code into its caller's
    interrupted  it did not call what stands above it: an exception, interrupt or system call took it there
    base         canonical frame address: the stack pointer of its caller just before the call; 0 if not known
    """

    function: str
    arguments: tuple[Argument, ...]
    address: int
    file: str
    line: int
    ring: Ring
    program: str = ""
    inlined: bool = False
    interrupted: bool = False
    base: int = 0
