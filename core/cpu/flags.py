"""Bits of EFLAGS, CR0 and CR4 (Intel SDM vol. 3 §2.3, §2.5), and how they are spelled out for people."""

from __future__ import annotations

CF, PF, AF, ZF, SF = 1 << 0, 1 << 2, 1 << 4, 1 << 6, 1 << 7
TF, IF, DF, OF = 1 << 8, 1 << 9, 1 << 10, 1 << 11
IOPL_SHIFT, IOPL = 12, 3 << 12
NT, RF, VM, AC, VIF, VIP, ID = 1 << 14, 1 << 16, 1 << 17, 1 << 18, 1 << 19, 1 << 20, 1 << 21
ARITHMETIC = CF | PF | AF | ZF | SF | OF
ALWAYS_ONE = 1 << 1

CR0_PE, CR0_MP, CR0_EM, CR0_TS, CR0_ET, CR0_NE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5
CR0_WP, CR0_AM, CR0_NW, CR0_CD, CR0_PG = 1 << 16, 1 << 18, 1 << 29, 1 << 30, 1 << 31
CR4_VME, CR4_PVI, CR4_TSD, CR4_DE, CR4_PSE, CR4_PAE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5
CR4_MCE, CR4_PGE, CR4_PCE, CR4_OSFXSR, CR4_OSXMMEXCPT = 1 << 6, 1 << 7, 1 << 8, 1 << 9, 1 << 10
CR4_OSXSAVE, CR4_SMEP, CR4_SMAP, CR4_PKE = 1 << 18, 1 << 20, 1 << 21, 1 << 22

DR7_ENABLES = 0xFF  # local and global, of four breakpoints

_EFLAGS_NAMES = (
    (ID, "ID"), (AC, "AC"), (VM, "VM"), (RF, "RF"), (NT, "NT"), (OF, "OF"), (DF, "DF"), (TF, "TF"),
    (SF, "SF"), (ZF, "ZF"), (AF, "AF"), (PF, "PF"), (CF, "CF"),
)  # fmt: skip
_CR0_NAMES = (
    (CR0_PG, "PG"), (CR0_CD, "CD"), (CR0_NW, "NW"), (CR0_AM, "AM"), (CR0_WP, "WP"), (CR0_NE, "NE"), (CR0_ET, "ET"),
    (CR0_TS, "TS"), (CR0_EM, "EM"), (CR0_MP, "MP"), (CR0_PE, "PE"),
)  # fmt: skip
_CR4_NAMES = (
    (CR4_SMAP, "SMAP"), (CR4_SMEP, "SMEP"), (CR4_OSXSAVE, "OSXSAVE"),
    (CR4_OSXMMEXCPT, "OSXMMEXCPT"), (CR4_OSFXSR, "OSFXSR"), (CR4_PCE, "PCE"), (CR4_PGE, "PGE"), (CR4_MCE, "MCE"),
    (CR4_PAE, "PAE"), (CR4_PSE, "PSE"), (CR4_DE, "DE"), (CR4_TSD, "TSD"), (CR4_PVI, "PVI"), (CR4_VME, "VME"),
)  # fmt: skip


def _set_bits(value: int, names: tuple[tuple[int, str], ...]) -> str:
    return " ".join(name for bit, name in names if value & bit)


def spell_eflags(value: int) -> str:
    """IF and IOPL always, the others when set: ``IF=0 IOPL=0 ZF PF``."""
    return f"IF={value >> 9 & 1} IOPL={value >> IOPL_SHIFT & 3} {_set_bits(value, _EFLAGS_NAMES)}".strip()


def spell_cr0(value: int) -> str:
    """The set bits of CR0 by name, highest first."""
    return _set_bits(value, _CR0_NAMES)


def spell_cr4(value: int) -> str:
    """The set bits of CR4 by name, highest first."""
    return _set_bits(value, _CR4_NAMES)
