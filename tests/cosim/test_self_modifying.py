"""Guests that write their own code, under every kind against the bare machine.

They write in the same block, in others, across pages, through another mapping, by the disk, and by the CPU itself when
it pushes a frame.
"""

from __future__ import annotations

from functools import cache

import pytest

from core.devices.disk_image import DiskImage
from core.guests.assembler import assemble
from core.guests.image import Program
from core.session import Session
from core.vmm import kinds_for
from tests.cosim.equality import differences, visible
from tests.cosim.test_equivalence import OTHERS

SESSION = Session(recording=False)
LIMIT = 200_000
DISK = DiskImage(bytes.fromhex("b8 44 33 22 11 c3") * 64 + bytes(128))  # mov eax, 0x11223344; ret

HEAD = """
.globl _start
_start:
    xor eax, eax
    xor ebx, ebx
    xor ecx, ecx
"""
TAIL = """
    mov [0x200000], eax
    mov [0x200004], ebx
    mov al, 0
    out 0xf4, al
    hlt
"""

GUESTS = {
    "the next instruction": """
    mov byte ptr [patched + 1], 7
patched:
    mov al, 1
""",
    "an earlier instruction of a loop": """
    mov ecx, 50
again:
    add eax, 1
    inc byte ptr [again + 2]
    dec ecx
    jnz again
""",
    "the next block": """
    mov ecx, 20
again:
    inc dword ptr [second + 1]
    jmp second
second:
    mov edx, 5
    add ebx, edx
    dec ecx
    jnz again
""",
    "a called function, in turn": """
    mov ecx, 40
again:
    mov edx, ecx
    and edx, 1
    mov esi, [bodies + edx * 4]
    mov [function], esi
    call function
    dec ecx
    jnz again
    jmp done
.balign 4
bodies: .long 0xc303c083, 0xc305eb83    # add eax, 3; ret and sub ebx, 5; ret
function: .long 0xc3
done:
""",
    "an instruction that straddles two pages": """
    mov ecx, 10
    jmp again
.balign 4096
    .fill 4093, 1, 0x90
again:
    add eax, 0x01010101                 # 05 and two bytes here, two in the next page
    inc byte ptr [again + 4]
    inc byte ptr [again + 1]
    dec ecx
    jnz again
""",
    "one word over two pages": """
    mov ecx, 10
    jmp again
.balign 4096
    .fill 4080, 1, 0x90
again:
    add dword ptr [over], 0x10001
    jmp over - 2
    .fill 4, 1, 0x90
over:
    .byte 0, 0
    add eax, 0x10
    dec ecx
    jnz again
""",
    "a copy over a copy": """
    mov ebp, 4
next:
    mov esi, offset first
    test ebp, 1
    jz copy
    mov esi, offset last
copy:
    mov edi, 0x210000
    mov ecx, 8
    cld
    rep movsb
    mov edx, 0x210000
    call edx
    dec ebp
    jnz next
    jmp done
first:
    add eax, 0x1234
    ret
    nop
    nop
last:
    lea ebx, [ebx + 2]
    ret
    .fill 6, 1, 0x90
done:
""",
    "by the disk": """
    mov edx, 0x1f2
    mov al, 1
    out dx, al
    dec al
    inc edx
    out dx, al
    inc edx
    out dx, al
    inc edx
    out dx, al
    mov al, 0xe0
    inc edx
    out dx, al
    mov edi, 0x210000
    mov dword ptr [edi], 0xc3c3c3c3
    call edi                            # translated, and then read over
    mov edx, 0x1f7
    mov al, 0x20
    out dx, al
wait:
    in al, dx
    test al, 8
    jz wait
    mov edx, 0x1f0
    mov ecx, 256
    cld
    rep insw
    mov edi, 0x210000
    call edi
""",
    "by a push": """
    mov ebp, esp
    mov ecx, 6
again:
    call body
    mov esp, offset body + 4
    lea edx, [ecx + 0x05eb8300]         # sub ebx, 5 after a byte
    mov dl, 0x90
    push edx
    mov esp, ebp
    dec ecx
    jnz again
    jmp done
.balign 16
body:
    .byte 0x90, 0x83, 0xc0, 3
    ret
done:
""",
    "by the frame of an exception": """
    lidt [register]
    mov ebp, esp
    mov ecx, 3
again:
    call body
    mov esp, offset body + 12
    int3                                # EIP, CS and EFLAGS land in the body
    jmp again
handler:
    mov esp, ebp
    mov dword ptr [body], 0xc305eb83
    dec ecx
    jnz again
    jmp done
.balign 16
body:
    .byte 0x83, 0xc0, 3
    ret
    .long 0, 0
register: .word 0x7ff
    .long 0x220000
done:
""",
    "through another mapping": """
    xor ecx, ecx
    mov eax, 7
fill:
    mov [0x401000 + ecx * 4], eax
    add eax, 0x1000
    inc ecx
    cmp ecx, 1024
    jb fill
    mov dword ptr [0x401000 + 0x300 * 4], 0x210007      # 0x300000 is 0x210000 as well
    mov dword ptr [0x400000], 0x401007
    mov eax, 0x400000
    mov cr3, eax
    mov eax, cr0
    or eax, 0x80010000
    mov cr0, eax
    xor eax, eax
    mov ecx, 8
    mov edx, 0x210000
    mov dword ptr [0x210000], 0xc301c083                # add eax, 1; ret
again:
    inc byte ptr [0x300002]
    call edx
    dec ecx
    jnz again
    mov dword ptr [0x401000 + 0x210 * 4], 0x220007      # and now 0x210000 is another page
    mov dword ptr [0x300000 + 0x10000], 0
    invlpg [0x210000]
    mov dword ptr [0x210000], 0xc307c383                # add ebx, 7; ret
    call edx
    mov dword ptr [0x401000 + 0x210 * 4], 0x210007
    invlpg [0x210000]
    call edx
""",
}


@cache
def guest(name: str) -> Program:
    return assemble(HEAD + GUESTS[name] + TAIL, "guest.s")


def run(program: Program, kind: str) -> dict[str, object]:
    SESSION.load(program, kind, disk=DISK)
    SESSION.run(LIMIT)
    return visible(SESSION)


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("name", GUESTS)
def test_a_guest_that_writes_its_own_code_runs_what_it_wrote(name: str, kind: str) -> None:
    program = guest(name)
    expected = run(program, "bare")
    assert expected["executed"] != LIMIT
    assert differences(expected, run(program, kind)) == []


@pytest.mark.parametrize("kind", list(kinds_for()))
@pytest.mark.parametrize("name", ["the next instruction", "an earlier instruction of a loop", "by a push"])
def test_stepping_through_it_is_the_same(name: str, kind: str) -> None:
    program = guest(name)
    expected = run(program, "bare")
    SESSION.load(program, kind, disk=DISK)
    while SESSION.end is None and SESSION.executed < 1000:
        SESSION.step()
    assert differences(expected, visible(SESSION)) == []
