"""A world is the whole CPU of a VM: what it sets is away while another's world is loaded, and back with its own."""

from __future__ import annotations

import pytest

from core.addresses import PAGE_SIZE, HostPhysical
from core.cpu.context import Gpr, Seg
from core.cpu.guest_cpu import Segment
from core.cpu.probes import Word
from core.cpu.world import WORDS
from tests.core.cpu.rig import CODE, Rig

# code that sets something of the CPU to EAX, and code that reads it back into EAX
PLACES = {
    "FPU register": ("50 db0424 58", "50 db1424 58"),  # fild [esp] / fist [esp]
    "SSE register": ("660f6ec0", "660f7ec0"),  # movd xmm0, eax / movd eax, xmm0
    "FPU control": ("50 d92c24 58", "50 d93c24 58"),  # fldcw / fnstcw
    "MXCSR": ("50 0fae1424 58", "50 0fae1c24 58"),
    "DR1": ("0f23c8", "0f21c8"),
    "CR2": ("0f22d0", "0f20d0"),
    "SYSENTER_EIP": ("b976010000 31d2 0f30", "b976010000 0f32"),
    "STAR": ("b9810000c0 31d2 0f30", "b9810000c0 0f32"),
    "flags": ("50 9d", "9c 58"),
    "EDI": ("89c7", "89f8"),
}
HLT = "f4"


def execute(rig: Rig, code: str, eax: int = 0) -> int:
    raw = bytes.fromhex((code + HLT).replace(" ", ""))
    rig.ram.write(rig.memory.physical.host(CODE), raw)  # type: ignore[arg-type]
    rig.cpu.forget_all_code()
    rig.guest.set_reg(Gpr.EAX, eax)
    rig.guest.eip = CODE
    rig.cpu.end = rig.cpu.executed + 100
    rig.cpu.run()
    return rig.guest.reg(Gpr.EAX)


@pytest.mark.parametrize("place", PLACES)
def test_a_world_holds_every_part_of_the_cpu(place: str) -> None:
    rig = Rig()
    rig.guest.set_cr(4, 1 << 9)  # SSE
    store, load = PLACES[place]
    one, other = (0x1F80, 0x1FC0) if place == "MXCSR" else (0x0202, 0x0297) if place == "flags" else (0x27F, 0x77F)
    clean = rig.cpu.save_world()
    execute(rig, store, one)
    first = rig.cpu.save_world()
    rig.cpu.load_world(clean)
    execute(rig, store, other)
    second = rig.cpu.save_world()
    rig.cpu.load_world(first)
    assert execute(rig, load) == one
    rig.cpu.load_world(second)
    assert execute(rig, load) == other


def test_a_world_holds_hidden_segment_state_ring_and_counts() -> None:
    rig = Rig()
    clean = rig.cpu.save_world()
    rig.enter(3)
    rig.guest.set_segment(Seg.FS, Segment(0x23, 0x1234, 0x42, 0x40F300))
    rig.cpu.executed = 77
    third = rig.cpu.save_world()
    rig.cpu.load_world(clean)
    assert (rig.cpu.cpl, rig.cpu.executed, rig.guest.segment(Seg.FS).limit) == (0, 0, 0)
    rig.cpu.load_world(third)
    assert (rig.cpu.cpl, rig.cpu.executed) == (3, 77)
    assert rig.guest.segment(Seg.FS) == Segment(0x23, 0x1234, 0x42, 0x40F300)
    assert third.executed == 77


def test_what_the_probes_count_for_a_vm_is_all_of_their_counts() -> None:
    """Shared by all VMs: the buffers (into which ring a VM writes is said at the switch) and what stops a run. Where
    rewritten code stands is written anew from the world's `relocation`."""
    shared = {
        Word.END, Word.STOP, Word.REASON, Word.FETCH_PAGE, Word.FETCH_FRAME, Word.RING_BUFFER, Word.READS, Word.WRITES,
        Word.FETCHES, Word.DIRTY, Word.FRAMES, Word.BREAK_MAP, Word.SCRATCH,
        Word.CODE_BASE, Word.CODE_SIZE, Word.CODE_MAP, Word.CODE_HEAT, Word.VIRTUAL_IF,
        Word.LAST_SIZE, Word.RAM, Word.AGAIN_AT, Word.REAL_PC, Word.VARIABLES, Word.GUARDED_AT, Word.GUARDED_IF,
        Word.CONTEXT, Word.HANDLER, Word.PORT_READER, Word.PORT_WRITER, Word.RING_LEFT, Word.STRADDLED,
    }  # fmt: skip
    assert {*Word} - shared == {word for word in Word if word in WORDS}


def test_a_hardware_breakpoint_counts_in_its_own_world_alone() -> None:
    rig = Rig()
    hits: list[int] = []

    class Handler:
        def exception(self, vector: int, error_code: int, software: bool) -> None:
            hits.append(vector)
            rig.cpu.stop_now()

    rig.cpu.connect(Handler())  # type: ignore[arg-type]
    clean = rig.cpu.save_world()
    page_0 = rig.ram.read(HostPhysical(0), PAGE_SIZE)
    target = CODE + 16
    execute(rig, f"b8{target.to_bytes(4, 'little').hex()} 0f23c0 b802000000 0f23f8")  # mov dr0, target / mov dr7, 2
    armed = rig.cpu.save_world()

    def hit() -> bool:
        hits.clear()
        execute(rig, "90" * 20)
        return bool(hits)

    assert hit()
    rig.cpu.load_world(clean)
    assert not hit()
    for _ in range(2):
        rig.cpu.load_world(armed)
        assert hit()
        assert (rig.cpu.state.dr[0], rig.cpu.state.dr[7] & 0xFF) == (target, 2)
    execute(rig, "31c0 0f23f8")  # mov dr7, 0: the CPU must still know which it made
    assert not hit()
    rig.cpu.load_world(armed)
    assert hit()
    assert rig.ram.read(HostPhysical(0), PAGE_SIZE) == page_0
