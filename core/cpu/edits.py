"""Registers that a person may change from outside, in the guest's own terms: the general ones, EIP, and the flags.

A debugger can write every register; here only those whose new value means the same under every kind of monitor. What
segments, control registers and descriptor tables hold is checked and followed by the CPU and by monitors when the guest
loads them, so the guest's own instructions must do that (Intel SDM vol. 3 §5.2 and §2.5).
"""

from __future__ import annotations

from core.cpu import flags
from core.cpu.context import Gpr
from core.cpu.guest_cpu import GuestCpu
from core.errors import RequestError

# CF PF AF ZF SF DF OF, and IF: what results and the guest's kernel change all the time
EDITABLE_FLAGS = 0xCD5 | flags.IF
POINTER, FLAGS = "EIP", "EFLAGS"
EDITABLE = frozenset({POINTER, FLAGS, *(reg.name for reg in Gpr)})


def check_edit(name: str, value: int) -> None:
    """A RequestError if that register cannot be given that value from outside."""
    if name not in EDITABLE:
        raise RequestError(
            f"{name} cannot be set from outside: the guest's own instructions must load it.",
            "Set EIP, EFLAGS or a general register.",
        )
    if not 0 <= value < 1 << 32:
        raise RequestError(
            f"{name} has 32 bits, and {value:#x} does not fit.", "Give eight hexadecimal digits or less."
        )


def edit(guest: GuestCpu, name: str, value: int) -> None:
    """Set it; of EFLAGS only what may be changed. A RequestError if that cannot be."""
    check_edit(name, value)
    if name == POINTER:
        guest.eip = value
    elif name == FLAGS:
        guest.eflags = guest.eflags & ~EDITABLE_FLAGS | value & EDITABLE_FLAGS
    else:
        guest.set_reg(Gpr[name], value)
