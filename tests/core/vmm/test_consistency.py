"""What VMRUN refuses, with the rule by name (AMD APM vol. 2 §15.5.1 and §15.20)."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from core.addresses import HostPhysical
from core.errors import RequestError
from core.memory.ram import Ram
from core.session import Session
from core.vmm.consistency import broken_rule
from core.vmm.control_area import ControlArea
from core.vmm.hardware import Hardware
from core.vmm.intercepts import Exit
from core.vmm.vmcb import Vmcb
from tests.bench import loops

MEMORY = 1 << 20
SESSION = Session(recording=False)


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


BROKEN = pytest.mark.parametrize(
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
        ("EFER", 1 << 12 | 1 << 10, "long mode"),
        ("MISC_2", 0, "VMRUN must be intercepted"),
        ("IOPM_BASE", (1 << 32) - 0x1000, "IOPM_BASE_PA"),
        ("MSRPM_BASE", 1 << 32, "MSRPM_BASE_PA"),
        ("ASID", 0, "ASID 0"),
        ("N_CR3", 1 << 32, "N_CR3"),
        ("G_PAT", 0x0007_0406_0007_0402, "G_PAT"),
        ("EVENTINJ", 1 << 31 | 5 << 8, "reserved type 5"),
        ("EVENTINJ", 1 << 31 | 3 << 8 | 2, "vector 2"),
        ("EVENTINJ", 1 << 31 | 3 << 8 | 32, "vector 32"),
        ("EVENTINJ", 1 << 31 | 3 << 8 | 14, "error code"),
        ("EVENTINJ", 1 << 31 | 3 << 8 | 1 << 11 | 6, "error code"),
    ],
)


@BROKEN
def test_a_broken_rule_is_named_with_the_value(sound: Vmcb, field: str, value: int, said: str) -> None:
    sound.set(field, value)
    rule = broken_rule(sound, MEMORY)
    assert rule is not None
    assert said in rule


@BROKEN
def test_vmrun_refuses_what_breaks_a_rule_and_goes_on_when_it_is_mended(field: str, value: int, said: str) -> None:
    if SESSION.program is None:
        SESSION.load(loops.program(b"\x90" * 256), "hardware")
        SESSION.step()
    vmm, before = cast(Hardware, SESSION.vmm), SESSION.pc
    held = vmm.vmcb.get(field)
    vmm.set_field(field, value)
    with pytest.raises(RequestError, match="VMEXIT_INVALID") as refused:
        SESSION.step()
    assert said in str(refused.value)
    assert vmm.vmcb.get("EXITCODE") == Exit.INVALID
    vmm.set_field(field, held)
    SESSION.step()
    assert SESSION.pc == before + 1
