"""What the lab's CPU says of itself: only what the emulated CPU does and the lab keeps deterministic.

A guest that is told of a feature will use it. So no RDTSCP, no PAE, no APIC, no MMX or SSE state to switch that a kind
of VMM does not carry. Format: Intel SDM vol. 2, CPUID; AMD APM vol. 3, appendix E.
"""

from __future__ import annotations

from functools import lru_cache

VENDOR = b"RingsideLab!"  # EBX, EDX, ECX, as every vendor string
HYPERVISOR_LEAF, HYPERVISOR = 0x4000_0000, b"RingsideVMM."  # EBX, ECX, EDX
FAMILY_6_MODEL_8 = 0x0000_0683  # a Pentium III, the last CPU that promised so little
FPU, DE_, PSE, TSC, MSR, CX8, SEP, PGE, CMOV = (1 << bit for bit in (0, 2, 3, 4, 5, 8, 11, 13, 15))
FEATURES = FPU | DE_ | PSE | TSC | MSR | CX8 | SEP | PGE | CMOV


@lru_cache(maxsize=64)
def sober_cpuid(leaf: int, _subleaf: int) -> tuple[int, int, int, int]:
    """EAX, EBX, ECX, EDX of `leaf`; leaves beyond the last repeat nothing and read as zero."""
    words = [int.from_bytes(VENDOR[at : at + 4], "little") for at in (0, 4, 8)]
    if leaf == 0:
        return 1, words[0], words[2], words[1]
    if leaf == 1:
        return FAMILY_6_MODEL_8, 0, 0, FEATURES
    return 0, 0, 0, 0


def hypervisor_cpuid() -> tuple[int, int, int, int]:
    """The leaf by which a guest finds that a hypervisor is beneath it that can be called.

    The bit of leaf 1 that says the same on real ones stays clear: who does not look for the lab sees no difference."""
    ebx, ecx, edx = (int.from_bytes(HYPERVISOR[at : at + 4], "little") for at in (0, 4, 8))
    return HYPERVISOR_LEAF, ebx, ecx, edx
