"""The I/O intercept, checked by the lab because the emulated CPU lacks it.

An IN, OUT, INS or OUTS exits if IOIO is intercepted and any of its ports has its bit set in the I/O permission map, a
bit for each port, 12 KiB in all. EXITINFO1 then tells port, width, direction and kind; EXITINFO2 is the EIP after it
(AMD APM vol. 2 §15.10, figure 15-2). It comes after the guest's own I/O permission check, as the manual says.
"""

from __future__ import annotations

from iced_x86 import Instruction, Register

from core.addresses import HostPhysical
from core.vmm.vmcb import Vmcb

IOPM_BYTES = 3 << 12
TYPE_IN, STRING, REPEATED = 1 << 0, 1 << 2, 1 << 3
SIZE_SHIFT, ADDRESS_32, SEGMENT_SHIFT, PORT_SHIFT = 4, 1 << 8, 10, 16
_SEGMENTS = {
    Register.ES: 0,
    Register.CS: 1,
    Register.SS: 2,
    Register.DS: 3,
    Register.FS: 4,
    Register.GS: 5,
}


def ports_intercepted(vmcb: Vmcb, port: int, size: int) -> bool:
    """Has any of the `size` ports from `port` its bit set in the VM's I/O permission map?"""
    at = HostPhysical(vmcb.get("IOPM_BASE") + (port >> 3))
    bits = int.from_bytes(vmcb.ram.read(at, 2), "little") >> (port & 7)
    return bool(bits & (1 << size) - 1)


def io_information(instruction: Instruction, port: int, size: int, *, reading: bool) -> int:
    """EXITINFO1 of the access of `size` bytes at `port` that `instruction` made."""
    info = port << PORT_SHIFT | size << SIZE_SHIFT | ADDRESS_32 | (TYPE_IN if reading else 0)
    if instruction.is_string_instruction:
        info |= STRING | (REPEATED if instruction.has_rep_prefix or instruction.has_repne_prefix else 0)
        info |= (_SEGMENTS.get(instruction.memory_segment, 0) if not reading else 0) << SEGMENT_SHIFT
    return info
