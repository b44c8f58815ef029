"""Exits in words, as their fields say them."""

from __future__ import annotations

import pytest

from core.vmm.exit_words import exit_words
from core.vmm.intercepts import Exit


@pytest.mark.parametrize(
    ("code", "info1", "info2", "cut_short", "words"),
    [
        (Exit.CPUID, 0, 0, 0, "CPUID"),
        (Exit.IOIO, 0x3D5 << 16 | 1 << 8 | 1 << 4, 0x1000, 0, "IOIO: OUT of 1 byte to port 0x3d5"),
        (Exit.IOIO, 0x1F0 << 16 | 1 << 8 | 2 << 4 | 0b1101, 0, 0, "IOIO: REP INS of 2 bytes from port 0x1f0"),
        (Exit.MSR, 1, 0, 0, "MSR: WRMSR"),
        (Exit.NPF, 1 << 32 | 6, 0x5000, 0, "nested page fault: writing guest-physical 0x00005000"),
        (Exit.NPF, 1 << 32 | 4, 0x5000, 0, "nested page fault: reading guest-physical 0x00005000"),
        (
            Exit.NPF,
            1 << 33 | 6,
            0x5004,
            0,
            "nested page fault: reading the guest's page table at guest-physical 0x00005004",
        ),
        (0x4E, 3, 0x8000, 0, "#PF page fault: at 0x00008000, error code 3"),
        (
            0x4D,
            0x33,
            0,
            1 << 31 | 3 << 8 | 6,
            "#GP general protection: error code 0x33, while #UD invalid opcode was delivered",
        ),
        (0x46, 0, 0, 0, "#UD invalid opcode"),
    ],
)
def test_an_exit_says_what_its_fields_hold(code: int, info1: int, info2: int, cut_short: int, words: str) -> None:
    assert exit_words(code, info1, info2, cut_short) == words
