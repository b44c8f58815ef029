"""Random guest programs: privileged and plain instructions, faults, rings, interrupts, in slots that a frame survives.

Only instructions that behave under every kind: the documented holes (PUSHF, POPF, SGDT, SMSW, reading CS, LAR …) are
left out here; they have tests of their own.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from hypothesis import strategies as st

from core.guests.assembler import assemble
from core.guests.image import ImageSegment, Program

SLOTS, SLOT_BYTES, SCRATCH, SCRATCH_BYTES = 24, 32, 0x200000, 0x2000

VM = 1 << 17  # EFLAGS: virtual-8086 mode, in which every kind stops
RF = 1 << 16  # which the emulated CPU clears only where one of its translated blocks ends
_word = st.integers(0, 0xFFFF_FFFF)
_near = st.integers(0, SCRATCH_BYTES - 8).map(lambda offset: SCRATCH + offset)
_selector = st.sampled_from(
    [0, 3, 0x08, 0x10, 0x13, 0x1B, 0x20, 0x23, 0x28, 0x30, 0x38, 0x40, 0x48, 0x50, 0x58, 0x60, 0x0C, 0x17, 0xA8, 0xB0]
)
_shift = st.integers(0, 31)
_register = st.sampled_from([0, 1, 2, 3, 5, 6, 7])  # not ESP


def _imm(value: int) -> bytes:
    return struct.pack("<I", value)


@lru_cache(maxsize=2)
def frame(paging: bool = False) -> Program:
    """The program whose slots are still NOPs; with `paging` it has turned paging on."""
    source = Path(__file__).with_name("slots.s").read_text(encoding="utf-8")
    return assemble(".set PAGING, 1\n" + source if paging else source, "slots.s")


def _modrm(op: int | bytes, reg: int, rm: int) -> bytes:
    """An instruction with two register operands."""
    return (bytes([op]) if isinstance(op, int) else op) + bytes([0xC0 | reg << 3 | rm])


def _with_ax(value: int, rest: bytes) -> bytes:
    """mov ax, value; then `rest`."""
    return b"\x66\xb8" + struct.pack("<H", value) + rest


def _with_eax(value: int, rest: bytes) -> bytes:
    """mov eax, value; then `rest`."""
    return b"\xb8" + _imm(value) + rest


def _absolute(op: int, reg: int, at: int) -> bytes:
    """An instruction with a register and the memory operand [at]."""
    return bytes([op, 0x05 | reg << 3]) + _imm(at)


def _copy_three(at: int) -> bytes:
    """mov ecx, 3; mov esi, at; mov edi, SCRATCH + 0x400; cld; rep movsb."""
    return b"\xb9\x03\0\0\0\xbe" + _imm(at) + b"\xbf" + _imm(SCRATCH + 0x400) + b"\xfc\xf3\xa4"


def _string_io(op: bytes) -> bytes:
    """mov ecx, 3; mov dx, 0x80; mov esi, SCRATCH; mov edi, SCRATCH + 16; cld; INS or OUTS."""
    return b"\xb9\x03\0\0\0\x66\xba\x80\0\xbe" + _imm(SCRATCH) + b"\xbf" + _imm(SCRATCH + 16) + b"\xfc" + op


_BINARY = st.sampled_from([0x01, 0x09, 0x11, 0x19, 0x21, 0x29, 0x31, 0x39])
_ONE_BYTE = [b"\xf8", b"\xf9", b"\xf5", b"\xfc", b"\xfd", b"\x98", b"\x99", b"\x9e", b"\x9f", b"\x27", b"\x37"]

_plain = st.one_of(
    st.builds(lambda r, v: bytes([0xB8 + r]) + _imm(v), _register, _word),  # mov r, imm
    st.builds(lambda op, r, v: _modrm(0x81, op, r) + _imm(v), st.integers(0, 7), _register, _word),
    st.builds(_modrm, _BINARY, _register, _register),
    st.builds(lambda op, r, n: _modrm(0xC1, op, r) + bytes([n]), st.sampled_from([0, 1, 4, 5, 7]), _register, _shift),
    st.builds(_absolute, st.sampled_from([0x8B, 0x89, 0x11]), _register, _near),  # mov to, mov from, adc to
    st.builds(lambda r: bytes([0x50 + r]), _register),  # push
    st.builds(lambda r: bytes([0x58 + r]), _register),  # pop
    st.sampled_from(_ONE_BYTE),
    st.builds(lambda op, r: _modrm(0xF7, op, r), st.integers(2, 7), _register),  # not neg mul imul div idiv
    st.builds(_copy_three, _near),
)

_privileged = st.one_of(
    st.sampled_from([b"\xfa", b"\xfb", b"\xfa\xfb", b"\xfb\xfb\xfb", b"\x0f\x06", b"\x0f\x09", b"\x0f\x08"]),
    st.builds(lambda value: _with_eax(value & 0x2E | 0x11, b"\x0f\x22\xc0"), _word),  # mov cr0
    st.sampled_from([_modrm(b"\x0f\x20", n, r) for n in (0, 2, 3, 4) for r in (0, 3)]),  # mov r, cr
    st.builds(lambda value: _with_eax(value & ~0xFFF & 0xFFFF_FFFF, b"\x0f\x22\xd8"), _word),  # mov cr3
    st.builds(lambda value: _with_eax(value, b"\x0f\x22\xd0"), _word),  # mov cr2
    st.builds(lambda at: b"\x0f\x01\x3d" + _imm(at), _word),  # invlpg
    st.builds(lambda value: _with_ax(value & 0xE | 1, b"\x0f\x01\xf0"), _word),  # lmsw
    st.builds(lambda op, port: bytes([op, port]), st.sampled_from([0xE4, 0xE6]), st.sampled_from([0x21, 0x61, 0x80])),
    st.builds(lambda value: b"\xb0" + bytes([value]) + b"\x66\xba\xf8\x03\xee", st.integers(32, 126)),  # print
    st.builds(lambda value: _with_eax(value, b"\x0f\x23\xc0\x0f\x21\xc3"), _word),  # mov dr0, mov ebx, dr0
)

_POPS = st.sampled_from([b"\x07", b"\x17", b"\x1f", b"\x0f\xa1", b"\x0f\xa9"])  # es ss ds fs gs
_segments = st.one_of(
    st.builds(lambda s, sel: _with_ax(sel, _modrm(0x8E, s, 0)), st.sampled_from([0, 2, 3, 4, 5]), _selector),
    st.builds(lambda pop, sel: b"\x6a" + bytes([sel]) + pop, _POPS, _selector),
    st.builds(lambda sel: _with_ax(sel, b"\x0f\x00\xd8"), _selector),  # ltr
    st.builds(lambda sel: _with_ax(sel, b"\x0f\x00\xd0"), _selector),  # lldt
    st.just(_with_ax(0xA8, b"\x0f\x00\xd0\xb0\x0c\x8e\xd8")),  # of the frame's LDT; mov ds, from it
    st.builds(lambda sel: b"\xeaSLOT" + struct.pack("<H", sel), _selector),  # jmp far to the next slot
)

_gate = st.sampled_from(
    [0x60, 0x60, 0x63, 0x68, 0x6B, 0x70, 0x78, 0x80, 0x83, 0x88, 0x8B, 0x90, 0x93, 0xA0, 0x28, 0x58, 0xB0]
)
_gates = st.one_of(
    st.builds(lambda sel: b"\x6a\x05\x6a\x06\x9a\0\0\0\0" + struct.pack("<H", sel), _gate),  # push 5, push 6, call far
    st.builds(lambda sel: b"\x6a\x05\x6a\x06\x9a\0\0\0\0" + struct.pack("<H", sel), _gate),
    st.builds(lambda sel: b"\xea\0\0\0\0" + struct.pack("<H", sel), _gate),  # jmp far
    st.builds(lambda sel: b"\x66\x9a\0\0" + struct.pack("<H", sel), _gate),
    st.sampled_from([b"\xcd\x3e", b"\xcf", b"\xcb", b"\xca\x08\0", b"\x66\xcb", b"\x66\xcf"]),
    # push a wide or narrow way back into code of 64 KiB, or into the next slot, and return there
    st.builds(lambda sel: b"\x6a" + bytes([sel]) + b"\x68SLOT\xca\x04\0", st.sampled_from([0x08, 0x18, 0x58, 0x1B])),
)

_faults = st.one_of(
    st.sampled_from([b"\x0f\x0b", b"\xcc", b"\x31\xc9\xf7\xf1", b"\xf4", b"\x0f\xff", b"\xf0\x90"]),
    st.builds(lambda vector: bytes([0xCD, vector]), st.sampled_from([0x30, 0x3F, 0x40, 0x0D, 0x0E, 0x08])),
    st.builds(lambda at: b"\xa1" + _imm(at), st.integers(0x0100_0000, 0xFFBF_FFFC)),  # beyond RAM: the open bus
    st.builds(lambda at: b"\xa3" + _imm(at), st.integers(0x0100_0000, 0xFFBF_FFFC)),
    st.builds(lambda at: _with_eax(at, b"\xff\xe0"), st.integers(0x0100_0000, 0xFFBF_FFF0)),  # jump there
    st.builds(_string_io, st.sampled_from([b"\x6c", b"\x6d", b"\x6e", b"\x6f", b"\xf3\x6c", b"\xf3\x6e"])),
)


def _iret_outward(code: int, data: int, flags: int) -> bytes:
    """push data; push esp3; push flags; push code; push next slot; iret."""
    frame_ = b"\x6a" + bytes([data]) + b"\x68" + _imm(0x2F0000) + b"\x68" + _imm(flags)
    return frame_ + b"\x6a" + bytes([code]) + b"\x68SLOT\xcf"


_rings = st.one_of(
    st.builds(
        _iret_outward,
        st.sampled_from([0x1B, 0x1B, 0x1B, 0x5B, 0x18]),
        st.sampled_from([0x23, 0x23, 0x20]),
        st.sampled_from([0x202, 0x2, 0x3202, 0x282, 0x302, 0x3102]),
    ),
    # IRET within the ring
    st.builds(
        lambda flags: b"\x68" + _imm(flags) + b"\x6a\x08\x68SLOT\xcf",
        st.sampled_from([0x202, 0x2, 0x3202, 0x8D7, 0x302, 0x102, 0x4002]),
    ),
    st.just(b"\x6a\x08\x68SLOT\xcb"),  # far return
)

# IRET into code of 64 KiB, where zeros are executed: ADD [EAX], AL again and again. Not with paging, where EAX may
# point into the page tables: who writes there and does not INVLPG is not comparable.
_narrow_code = st.builds(
    lambda value, code: b"\x68" + _imm(value & ~VM & ~RF) + b"\x68" + _imm(code) + b"\x68" + _imm(0x8000) + b"\xcf",
    _word,
    st.sampled_from([0x98, 0xB8]),
)

# SYSENTER's three registers, SYSENTER and SYSEXIT
_fast_calls = st.one_of(
    st.builds(
        lambda sel: b"\xb9\x74\x01\0\0\xb8" + _imm(sel) + b"\x31\xd2\x0f\x30", st.sampled_from([0x08, 0x08, 0, 0x58])
    ),
    st.just(b"\xb9\x76\x01\0\0\xb8SLOT\x31\xd2\x0f\x30\x0f\x34"),
    st.just(b"\xb9\x75\x01\0\0\xb8" + _imm(0x2E0000) + b"\x31\xd2\x0f\x30"),
    st.sampled_from([b"\x0f\x34", b"\xbaSLOT\xb9" + _imm(0x2D0000) + b"\x0f\x35"]),
)

_aligned = st.integers(0, SCRATCH_BYTES // 16 - 1).map(lambda block: SCRATCH + 16 * block)
_floating = st.one_of(
    st.sampled_from(
        [b"\xd9\xe8", b"\xd9\xee", b"\xd8\xc0", b"\xd9\xfa", b"\xde\xc9", b"\xdb\xe3", b"\x9b", b"\x0f\x77"]
    ),
    st.builds(lambda at: b"\xdd\x1d" + _imm(at), _near),  # fstp qword
    st.builds(lambda at: b"\xdb\x05" + _imm(at), _near),  # fild
    st.builds(lambda at: b"\x0f\x28\x05" + _imm(at), _aligned),  # movaps xmm0
    st.builds(lambda at: b"\x0f\x11\x05" + _imm(at), _near),  # movups to memory
    st.sampled_from([b"\x0f\x58\xc0", b"\x0f\x57\xc0"]),
    st.builds(lambda bits: _with_eax(bits, b"\x0f\x22\xe0"), st.sampled_from([0x10, 0x210, 0x610, 0x200])),  # mov cr4
)

# code that changes the code that follows: one instruction, and a jump over what is left of the slot
SELF_MODIFYING = b"\xc7\x05SLOT"  # mov dword [the next slot], …
_self_modifying = st.builds(
    lambda byte: SELF_MODIFYING + bytes([byte]) + b"\xeb\x1d\x90",
    st.sampled_from([0x40, 0x4B, 0x90, 0xF4, 0xFA, 0xFB, 0xCC, 0x50, 0x60, 0x61]),
)

_narrow = st.one_of(
    st.builds(lambda op, r, s: b"\x66" + _modrm(op, r, s), _BINARY, _register, _register),
    st.builds(lambda r: b"\x66" + bytes([0x50 + r]), _register),
    st.builds(lambda r: b"\x66" + bytes([0x58 + r]), _register),
    st.builds(lambda op, r, at: b"\x66" + _absolute(op, r, at), st.sampled_from([0x8B, 0x89, 0x11]), _register, _near),
    st.builds(lambda op: b"\x67\x8d\x1f" + op, st.just(b"\x90")),  # lea ebx, [bx]
    st.sampled_from([b"\x60", b"\x61", b"\x66\x60", b"\xc8\x10\0\x01", b"\xc9"]),  # pusha popa enter leave
)

_tables = st.one_of(
    # write one byte of the GDT: the monitor must notice
    st.builds(
        lambda at, value: b"\xc6\x05GDT" + bytes([at]) + bytes([value]), st.integers(0x30, 0x5F), st.integers(0, 255)
    ),
)

_offset = st.one_of(st.integers(0, 0xFF8), st.integers(0xFFD, 0xFFF))
_accesses = st.sampled_from([0x8B, 0x89, 0x11, 0x8A, 0x88])
_PAGES = st.integers(0, 15)
_ENTRY_FLAGS = st.sampled_from([0, 1, 3, 5, 7, 0x21, 0x63, 0x67])
_TABLE_1, _TABLE_1_2, _DIRECTORIES = 0x402000, 0x404000, (0x400000, 0x403000)
_WINDOW, _FRAMES = 0x480000, 0x600000
_TABLES = st.sampled_from([_TABLE_1, _TABLE_1, _TABLE_1_2])


def _store(at: int, value: int) -> bytes:
    """mov dword [at], value."""
    return b"\xc7\x05" + _imm(at) + _imm(value)


def _remap(table: int, page: int, frame_: int, flags: int) -> bytes:
    """Change one entry of the window and INVLPG the page."""
    entry = _store(table + 4 * (0x80 + page), _FRAMES + (frame_ << 12) | flags)
    return entry + b"\x0f\x01\x3d" + _imm(_WINDOW + (page << 12))


def _reload(directory: int) -> bytes:
    """mov cr3, directory."""
    return _with_eax(directory, b"\x0f\x22\xd8")


def _push_over_entries(page: int) -> bytes:
    """Empty the TLB (mov eax, cr3; mov cr3, eax), since the handler goes on pushing over five entries more; mov esp,
    behind three entries of the window; int 0x3d."""
    return b"\x0f\x20\xd8\x0f\x22\xd8\xbc" + _imm(_TABLE_1 + 4 * (0x80 + page + 3)) + b"\xcd\x3d"


_paging = st.one_of(
    st.builds(_remap, _TABLES, _PAGES, _PAGES, _ENTRY_FLAGS),
    st.builds(_remap, _TABLES, _PAGES, _PAGES, _ENTRY_FLAGS),
    st.builds(lambda page, offset, op: _absolute(op, 3, _WINDOW + (page << 12) + offset), _PAGES, _offset, _accesses),
    st.builds(lambda page, offset, op: _absolute(op, 3, _WINDOW + (page << 12) + offset), _PAGES, _offset, _accesses),
    st.builds(lambda page, offset, op: _absolute(op, 3, _WINDOW + (page << 12) + offset), _PAGES, _offset, _accesses),
    st.builds(lambda table, page: _absolute(0x8B, 1, table + 4 * (0x80 + page)), _TABLES, _PAGES),  # mov ecx, [entry]
    st.builds(_reload, st.sampled_from(_DIRECTORIES)),
    st.just(b"\x0f\x20\xc0\x35\0\0\x01\0\x0f\x22\xc0"),  # toggle CR0.WP
    # a directory entry: the one table, the other, none, or read-only
    st.builds(
        lambda directory, value, reload: _store(directory + 4, value) + _reload(reload),
        st.sampled_from(_DIRECTORIES),
        st.sampled_from([_TABLE_1 + 7, _TABLE_1_2 + 7, _TABLE_1 + 3, _TABLE_1 + 5]),
        st.sampled_from(_DIRECTORIES),
    ),
    # a large page at 8 MiB, and an access to it
    st.builds(
        lambda flags, at: _store(0x400008, 0x400080 | flags) + _reload(0x400000) + _absolute(0x89, 3, 0x800000 + at),
        st.sampled_from([1, 3, 7, 0x67]),
        st.integers(0x200000, 0x20F000),
    ),
    # a write to a page table through the window's own mapping, twice in one instruction
    st.just(
        b"\xbe"
        + _imm(_TABLE_1 + 0x200)
        + b"\xbf"
        + _imm(_TABLE_1 + 0x204)
        + b"\xa5\x0f\x01\x3d"
        + _imm(_WINDOW + 0x1000)
    ),
    # an exception's frame pushed over three entries of a page table
    st.builds(_push_over_entries, st.integers(0, 13)),
    # string I/O into the window, across its pages
    st.builds(
        lambda page, offset, op: (
            b"\xb9\x05\0\0\0\x66\xba\x80\0\xbf" + _imm(_WINDOW + (page << 12) + offset) + b"\x89\xfe\xfc" + op
        ),
        _PAGES,
        st.integers(0xFFC, 0xFFF),
        st.sampled_from([b"\xf3\x6c", b"\xf3\x6e", b"\xf3\x66\x6d", b"\xf3\xa4", b"\x6d"]),
    ),
    # read, modify and write an entry: toggle its writable bit, then INVLPG
    st.builds(
        lambda page: (
            b"\x83\x35" + _imm(_TABLE_1 + 4 * (0x80 + page)) + b"\x02\x0f\x01\x3d" + _imm(_WINDOW + (page << 12))
        ),
        _PAGES,
    ),
)

_places = st.tuples(st.integers(0, SLOTS - 1), st.sampled_from([0, 0, 0, 1, 2, 3, 5, 8]))
_control = st.sampled_from([0x402, 0x401, 0x408, 0x40A, 0x403, 0x4AA, 0x30402, 0x2402, 0x402, 0x400])


def _at(place: tuple[int, int]) -> bytes:
    slot, offset = place
    return _imm(frame().symbols["slots"] + slot * SLOT_BYTES + offset)


# mov drN, a place in a slot, and mov dr7; without one of the two; how long RF lasts is the CPU's to know
_breakpoints = st.one_of(
    st.builds(
        lambda place, number, control: b"\xb8" + _at(place) + _modrm(b"\x0f\x23", number, 0)
        + _with_eax(control, b"\x0f\x23\xf8"),
        _places, st.integers(0, 3), _control,
    ),
    st.builds(lambda place, number: b"\xb8" + _at(place) + _modrm(b"\x0f\x23", number, 0), _places, st.integers(0, 3)),
    st.builds(lambda control: _with_eax(control, b"\x0f\x23\xf8"), _control),
    st.just(b"\x0f\x21\xf1\x31\xc0\x0f\x23\xf0"),  # mov ecx, dr6, and clear it
)  # fmt: skip

piece = st.one_of(
    _plain, _privileged, _segments, _faults, _rings, _tables, _gates, _gates, _narrow_code, _fast_calls, _floating,
    _self_modifying, _narrow,
)  # fmt: skip
timer = st.one_of(st.none(), st.integers(3, 40))
programs = st.tuples(st.lists(piece, min_size=1, max_size=SLOTS), timer)
paged_programs = st.tuples(
    st.lists(
        st.one_of(_paging, _paging, _paging, _rings, _plain, _faults, _gates, _self_modifying),
        min_size=1,
        max_size=SLOTS,
    ),
    timer,
)

# where code segments have bases other than 0 the emulated CPU hangs at a breakpoint (core/cpu/FINDINGS.md)
armed_programs = st.tuples(
    st.lists(
        st.one_of(_breakpoints, _breakpoints, _plain, _privileged, _faults, _rings, _self_modifying),
        min_size=1,
        max_size=SLOTS,
    ),
    timer,
)

_TIMER_ON = bytes.fromhex("b011e620b020e621b004e621b001e621b0fee621b034e643")


def build(pieces: list[bytes], reload: int | None, *, paging: bool = False) -> Program:
    """The frame with `pieces` in its slots, the first of them after the timer was started with `reload`."""
    base = frame(paging)
    slots, gdt = base.symbols["slots"], base.symbols["gdt"]
    image = bytearray(base.segments[0].data)
    contents = list(pieces)
    if reload is not None:
        contents = [_TIMER_ON, b"\xb0" + bytes([reload]) + b"\xe6\x40\xb0\x00\xe6\x40\xfb", *contents][:SLOTS]
    for number, code in enumerate(contents):
        following = _imm(slots + min(number + 1, SLOTS - 1) * SLOT_BYTES)
        code = code.replace(b"SLOT", following)
        if b"GDT" in code:
            at = code.index(b"GDT")
            code = code[:at] + _imm(gdt + code[at + 3]) + code[at + 4 :]
        assert len(code) <= SLOT_BYTES, code.hex()
        start = slots - base.segments[0].address + number * SLOT_BYTES
        image[start : start + len(code)] = code
    first = base.segments[0]
    return replace(base, segments=(ImageSegment(first.address, bytes(image), first.size), *base.segments[1:]))
