"""A guest with page tables that are known to the bit: what its walks and its map must say can be written down."""

from __future__ import annotations

from core.guests.assembler import assemble
from core.session import Session

DIRECTORY, TABLE, USER_PAGE, READ_ONLY, TARGET = 0x20000, 0x21000, 0x0040_0000, 0x0040_1000, 0x30000

# The first 4 MiB one to one for the kernel; at 4 MiB a page for ring 3 and one that is read-only, both at TARGET.
SOURCE = f"""
    mov edi, {DIRECTORY}
    mov ecx, 3072
    xor eax, eax
    rep stosd
    mov edi, {TABLE}
    mov eax, 3
    mov ecx, 1024
fill:
    stosd
    add eax, 4096
    loop fill
    mov dword ptr [{DIRECTORY}], {TABLE + 3}
    mov dword ptr [{DIRECTORY + 4}], {TABLE + 0x1000 + 7}
    mov dword ptr [{TABLE + 0x1000}], {TARGET + 7}
    mov dword ptr [{TABLE + 0x1004}], {TARGET + 1}
    mov eax, {DIRECTORY}
    mov cr3, eax
    mov eax, cr0
    or eax, 0x80010000
    mov cr0, eax
paged:
    mov eax, [{USER_PAGE}]
read:
    mov [{USER_PAGE}], eax
written:
    mov esp, 0x7ff0
    nop
    nop
"""


def paged(kind: str, label: str = "paged") -> Session:
    """That guest under `kind`, about to execute the instruction at `label`."""
    session = Session()
    session.load(assemble(f".globl _start\n_start:\n{SOURCE}", "paged.s"), kind)
    assert session.program is not None
    session.run_to(session.program.symbols[label])
    return session
