"""The loops that are run: a few instructions of machine code at one address, with nothing around them."""

from __future__ import annotations

import struct

from core.addresses import GuestPhysical
from core.guests.image import ImageSegment, Program

CODE = 0x10_0000
DATA = 0x20_0000

# mov eax, [esi]; add eax, ecx; mov [esi+4], eax; dec ecx; jnz: a load and a store in five instructions
WORK = bytes.fromhex("8b06 01c8 894604 49 75f6".replace(" ", ""))
WORK_INSTRUCTIONS = 5
WORK_FOREVER = b"\xbe" + DATA.to_bytes(4, "little") + WORK + b"\xeb\xf4"
# cli; jmp: in ring 1 every second instruction traps
TRAPS = bytes.fromhex("fa ebfd".replace(" ", ""))
TRAPS_INSTRUCTIONS = 2
# mov esi; again: cli; ten times: mov eax, [esi]; add eax, ecx; mov [esi+4], eax; then sti; dec ecx; jmp again
GUARDED_WORK = (
    b"\xbe" + DATA.to_bytes(4, "little") + b"\xfa" + bytes.fromhex("8b0601c8894604") * 10 + b"\xfb\x49\xeb\xb5"
)
# mov esi; mov esp; again: twice the work; call; dec ecx; jmp again; inc eax; the work; ret
CALLING_WORK = (
    b"\xbe" + DATA.to_bytes(4, "little") + b"\xbc" + (DATA + 0x1000).to_bytes(4, "little")
    + bytes.fromhex("8b0601c8894604") * 2 + bytes.fromhex("e803000000 49 ebea 40 8b06 01c8 894604 c3")
)  # fmt: skip
# mov esi; mov esp; again: pushf; cli; three times mov, add, mov; popf; dec ecx; jmp again
FLAGS_WORK = (
    b"\xbe" + DATA.to_bytes(4, "little") + b"\xbc" + (DATA + 0x1000).to_bytes(4, "little")
    + bytes.fromhex("9cfa") + bytes.fromhex("8b0601c8894604") * 3 + bytes.fromhex("9d49ebe5")
)  # fmt: skip
# jmp to itself
ENDLESS = bytes.fromhex("ebfe")


def work(rounds: int) -> bytes:
    """`WORK`, `rounds` times, then HLT."""
    set_up = b"\xbe" + DATA.to_bytes(4, "little") + b"\xb9" + rounds.to_bytes(4, "little")
    return set_up + WORK + b"\xf4"


def program(code: bytes) -> Program:
    """A guest of nothing but `code`, entered at its first byte."""
    return Program("loop", "Loop", "", "", CODE, (ImageSegment(GuestPhysical(CODE), code, len(code)),))


def elf(code: bytes, size: int = 0) -> bytes:
    """The same as an ELF32 image: header, one program header (of `size` bytes of memory, if that is more), the code."""
    headers = 52 + 32
    header = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\x01\x01\x01", 2, 3, 1, CODE, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    segment = struct.pack("<8I", 1, headers, CODE, CODE, len(code), max(size, len(code)), 7, 4)
    return header + segment + code
