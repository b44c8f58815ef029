"""The floating-point unit and SSE as software sees them: what FXSAVE would store (Intel SDM vol. 1 §10.5.1).

Plain values, so that they can be put into another CPU, or into a file. What the emulated CPU keeps beside them (sticky
flags of its own arithmetic, which no instruction shows) is left out; registers that 32-bit code cannot name as well.
"""

from __future__ import annotations

from dataclasses import dataclass

POWER_ON_CONTROL, POWER_ON_TAGS, POWER_ON_MXCSR = 0x37F, 0xFFFF, 0x1F80


@dataclass(frozen=True, slots=True)
class Fpu:
    """control, status, tags  the FPU's three words, tags two bits a register
    pointers                  FIP, FCS, FDP, FDS, FOP: the newest instruction and its operand
    registers                 significand (64 bits) and sign with exponent (16), of the eight physical registers
    mxcsr, vectors            SSE's control word, and XMM0 to XMM7 (128 bits)
    """

    control: int = POWER_ON_CONTROL
    status: int = 0
    tags: int = POWER_ON_TAGS
    pointers: tuple[int, ...] = (0,) * 5
    registers: tuple[tuple[int, int], ...] = ((0, 0),) * 8
    mxcsr: int = POWER_ON_MXCSR
    vectors: tuple[int, ...] = (0,) * 8

    def is_sound(self) -> bool:
        """Do all of them fit into what holds them?"""
        words = (self.control, self.status, self.tags)
        return (
            all(0 <= each < 1 << 16 for each in words)
            and (len(self.pointers), len(self.registers), len(self.vectors)) == (5, 8, 8)
            and all(0 <= each < 1 << 32 for each in (*self.pointers, self.mxcsr))
            and all(0 <= number < 1 << 64 and 0 <= above < 1 << 16 for number, above in self.registers)
            and all(0 <= each < 1 << 128 for each in self.vectors)
        )
