"""What of the CPU belongs to one VM: everything a world switch puts away for one and brings back for the other.

The saved context is the processor's whole state: registers and hidden segment caches, control, debug and model-specific
registers, FPU and SSE, the fields of AMD-V. The probes' words that count for one VM (instructions, in which ring) are
beside it. Not in it, since the lab's CPU gives them no effect: the memory-type range registers. (Bugnion et al., TOCS
2012, §3.2: the world switch; AMD APM vol. 2 §15.5.1: VMRUN does the half of it.)
"""

from __future__ import annotations

from dataclasses import dataclass

from core.cpu.probes import Word
from core.cpu.relocation import Relocation

WORDS = (Word.EXECUTED, Word.WATCH, Word.SKIP_AT, Word.LAST_PC, *range(Word.RING_0, Word.RING_0 + 4))


@dataclass(frozen=True, slots=True)
class World:
    """`context` is the CPU's state without its header of live pointers; `words` are the probes', in the order of
    `WORDS`; `relocation` says where the VM's code runs, if its monitor rewrites it; `armed` is the DR7 whose
    breakpoints the CPU heeds, 0 if none."""

    context: bytes
    words: tuple[int, ...]
    relocation: Relocation | None = None
    armed: int = 0

    @property
    def executed(self) -> int:
        """Instructions and exceptions of this VM so far."""
        return self.words[0]
