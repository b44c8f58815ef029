"""An exit in words, from EXITCODE, EXITINFO1 and EXITINFO2 as the VMCB holds them.

What the two fields mean depends on the exit (AMD APM vol. 2 §15.10 for I/O, §15.11 for MSRs, §15.12 for exceptions,
§15.25.6 for nested page faults; appendix C). Only exits of which they say something are spelled out here.
"""

from __future__ import annotations

from core.cpu.faults import WITH_ERROR_CODE, Vector
from core.events import vector_name
from core.vmm.event_field import VALID, from_field
from core.vmm.intercepts import Exit, exit_name
from core.vmm.io_exit import PORT_SHIFT, REPEATED, SIZE_SHIFT, STRING, TYPE_IN

NPF_WRITE, NPF_FETCH, NPF_TABLE = 1 << 1, 1 << 4, 1 << 33
EXCEPTIONS = range(Exit.EXCEPTION_0, Exit.INTR)


def exit_words(code: int, info1: int, info2: int, cut_short: int) -> str:
    """Such as "IOIO: OUT of 1 byte to port 0x3d5"."""
    words = f"{exit_name(code)}{_details(code, info1, info2)}"
    return f"{words}, while {vector_name(from_field(cut_short).vector)} was delivered" if cut_short & VALID else words


def _details(code: int, info1: int, info2: int) -> str:
    if code == Exit.IOIO:
        return f": {_io(info1)}"
    if code == Exit.MSR:
        return ": WRMSR" if info1 & 1 else ": RDMSR"
    if code == Exit.NPF:
        how = "writing" if info1 & NPF_WRITE else "fetching from" if info1 & NPF_FETCH else "reading"
        if info1 & NPF_TABLE:
            return f": reading the guest's page table at guest-physical {info2:#010x}"
        return f": {how} guest-physical {info2:#010x}"
    if code == Exit.EXCEPTION_0 + Vector.PF:
        return f": at {info2:#010x}, error code {info1}"
    if code in EXCEPTIONS and code - Exit.EXCEPTION_0 in WITH_ERROR_CODE:
        return f": error code {info1:#x}"
    return ""


def _io(info: int) -> str:
    size, port = info >> SIZE_SHIFT & 7, info >> PORT_SHIFT
    name = ("IN" if info & TYPE_IN else "OUT") + ("S" if info & STRING else "")
    name = f"REP {name}" if info & REPEATED else name
    return f"{name} of {size} byte{'s' * (size > 1)} {'from' if info & TYPE_IN else 'to'} port {port:#x}"
