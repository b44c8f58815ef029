"""What VMRUN refuses, with the rule by name (AMD APM vol. 2 §15.5.1 and §15.20)."""

from __future__ import annotations

import numpy as np
import pytest

from core.addresses import HostPhysical
from core.memory.ram import Ram
from core.vmm.consistency import broken_rule
from core.vmm.control_area import ControlArea
from core.vmm.vmcb import Vmcb

MEMORY = 1 << 20


@pytest.fixture
def sound() -> Vmcb:
    ram = Ram(np.zeros(MEMORY, np.uint8), np.zeros(MEMORY >> 12, np.uint8))
    vmcb = Vmcb(ram, HostPhysical(0x1000))
    ControlArea(vmcb).fill(ram, HostPhysical(0x2000), HostPhysical(0x5000), [0x80])
    vmcb.set("CR0", 0x11)
    vmcb.set("NP_ENABLE", 1)
    return vmcb


def test_a_sound_vmcb_breaks_no_rule(sound: Vmcb) -> None:
    assert broken_rule(sound, MEMORY) is None


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("EFER", 0, "EFER.SVME must be set"),
        ("CR0", 0x2000_0011, "CR0.NW"),
        ("CR0", 1 << 32 | 0x11, "CR0[63:32]"),
        ("CR3", 1 << 52, "CR3"),
        ("CR4", 1 << 20, "CR4 has reserved bits"),
        ("DR6", 1 << 40, "DR6[63:32]"),
        ("DR7", 1 << 40, "DR7[63:32]"),
        ("EFER", 1 << 12 | 1 << 1, "EFER has reserved bits"),
        ("EFER", 1 << 12 | 1 << 8, "long mode"),
        ("MISC_2", 0, "VMRUN must be intercepted"),
        ("IOPM_BASE", MEMORY - 0x1000, "IOPM_BASE_PA"),
        ("MSRPM_BASE", MEMORY, "MSRPM_BASE_PA"),
        ("ASID", 0, "ASID 0"),
        ("N_CR3", MEMORY, "N_CR3"),
        ("EVENTINJ", 1 << 31 | 5 << 8, "reserved type 5"),
        ("EVENTINJ", 1 << 31 | 3 << 8 | 2, "vector 2"),
        ("EVENTINJ", 1 << 31 | 3 << 8 | 14, "error code"),
        ("EVENTINJ", 1 << 31 | 3 << 8 | 1 << 11 | 6, "error code"),
    ],
)
def test_a_broken_rule_is_named_with_the_value(sound: Vmcb, field: str, value: int, said: str) -> None:
    sound.set(field, value)
    rule = broken_rule(sound, MEMORY)
    assert rule is not None
    assert said in rule
