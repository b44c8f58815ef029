"""The CPU underneath: exact counts, stops, probes, and what arrives as a departure."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.addresses import HostPhysical
from core.cpu.calibration import verify_layout
from core.cpu.context import Gpr, Seg
from core.cpu.probes import Halted, ProbeBuffers
from core.cpu.unicorn_cpu import Cpu
from core.memory.ram import Ram

MEMORY = 1 << 20
CODE = 0x1000
# mov eax,[esi]; add eax,ecx; mov [esi+4],eax; add esi,8; and esi,0x7fff8; or esi,0x20000; xor edx,eax; dec ecx; jnz
LOOP = bytes.fromhex("b9ffffff00be000002008b0601c889460483c60881e6f8ff070081ce0000020031c24975e5f4")


class Recorder:
    """A handler that notes departures and answers with constants; EIP moves on by `skip`."""

    def __init__(self, cpu: Cpu) -> None:
        self.cpu = cpu
        self.seen: list[tuple[object, ...]] = []
        self.resume_at: int | None = None
        self.fails = False

    def exception(self, vector: int, error_code: int, software: bool) -> None:
        if self.fails:
            raise ZeroDivisionError("the handler itself is wrong")
        self.seen.append(("exception", vector, software, self.cpu.state.eip, self.cpu.state.error_code))
        if self.resume_at is not None:
            self.cpu.state.eip = self.resume_at

    def port_read(self, port: int, size: int) -> int:
        self.seen.append(("in", port, size, self.cpu.state.eip))
        return 0x1122_3344 & (1 << 8 * size) - 1

    def port_write(self, port: int, size: int, value: int) -> None:
        self.seen.append(("out", port, size, value))

    def cpuid(self, leaf: int, subleaf: int) -> tuple[int, int, int, int]:
        return leaf + 1, 2, 3, 4

    def timestamp(self) -> int:
        return 0x5_0000_0006

    def sysenter(self) -> None:
        self.seen.append(("sysenter",))

    def syscall(self) -> None:
        self.seen.append(("syscall",))

    def memory_read(self, address: int, size: int) -> int:
        self.seen.append(("read", address, size))
        return 0xCAFE_BABE & (1 << 8 * size) - 1

    def memory_write(self, address: int, size: int, value: int) -> None:
        self.seen.append(("write", address, size, value))


class Board:
    """A CPU with flat ring-0 segments and code at CODE."""

    def __init__(self, code: bytes | str, *, recording: bool = True) -> None:
        self.buffers = ProbeBuffers.private(MEMORY)
        self.ram = Ram(np.zeros(MEMORY, np.uint8), self.buffers.dirty)
        self.ram.write(HostPhysical(CODE), bytes.fromhex(code) if isinstance(code, str) else code)
        self.cpu = Cpu(self.ram, self.buffers, recording=recording)
        self.handler = Recorder(self.cpu)
        self.cpu.connect(self.handler)
        for seg in (Seg.ES, Seg.CS, Seg.SS, Seg.DS):
            self.cpu.state.segs[seg].flags = 0x00CF_9B00 if seg is Seg.CS else 0x00CF_9300
            self.cpu.state.segs[seg].limit = 0xFFFF_FFFF
        self.cpu.state.eip = CODE
        self.cpu.state.regs[Gpr.ESP] = 0x8000

    def run(self, count: int) -> Halted:
        self.cpu.end = self.cpu.executed + count
        return self.cpu.run()

    def everything(self) -> tuple[object, ...]:
        state = self.cpu.state
        return tuple(state.regs), state.eip, self.cpu.eflags, self.cpu.executed, bytes(self.ram.bytes)


def test_the_wheel_is_laid_out_as_believed() -> None:
    verify_layout()


@pytest.mark.parametrize("recording", [True, False])
def test_a_budget_is_exact(recording: bool) -> None:
    board = Board("90" * 10 + "f4", recording=recording)
    assert board.run(7) is Halted.BUDGET
    assert (board.cpu.executed, board.cpu.state.eip) == (7, CODE + 7)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=6))
def test_steps_in_any_portions_equal_one_run(portions: list[int]) -> None:
    parts, whole = Board(LOOP), Board(LOOP)
    for portion in portions:
        parts.run(portion)
    whole.run(sum(portions))
    assert parts.everything() == whole.everything()


def test_hlt_comes_back_with_no_reason_and_eip_behind_it() -> None:
    board = Board("90f490")
    assert board.run(100) is Halted.NONE
    assert (board.cpu.executed, board.cpu.state.eip) == (2, CODE + 2)


def test_each_iteration_of_a_repeated_instruction_counts() -> None:
    board = Board("b905000000be00400000bf00500000f3a4f4")
    board.run(100)
    assert board.cpu.executed == 3 + 5 + 1 + 1


def test_a_breakpoint_stops_before_its_instruction_and_can_be_passed() -> None:
    board = Board("90" * 10 + "f4")
    board.cpu.breakpoints = frozenset({CODE + 4})
    assert board.run(100) is Halted.BREAKPOINT
    assert (board.cpu.executed, board.cpu.state.eip) == (4, CODE + 4)
    board.cpu.pass_breakpoint()
    assert board.run(3) is Halted.BUDGET
    assert board.cpu.state.eip == CODE + 7


def test_a_stop_from_another_thread_ends_an_endless_loop() -> None:
    board = Board("ebfe")
    timer = threading.Timer(0.02, board.cpu.request_stop)
    timer.start()
    assert board.run(1 << 60) is Halted.REQUESTED
    timer.join()


def test_the_cpu_stops_where_interrupts_open() -> None:
    board = Board("9090fb9090f4")
    board.cpu.await_interrupts_open(True)
    assert board.run(100) is Halted.INTERRUPTIBLE
    assert board.cpu.state.eip == CODE + 3
    assert board.cpu.state.hflags & 8  # the shadow of STI


def test_a_software_interrupt_arrives_with_the_next_eip() -> None:
    board = Board("cd80f4")
    board.handler.resume_at = CODE + 2
    board.run(10)
    assert board.handler.seen == [("exception", 0x80, True, CODE + 2, 0)]


def test_faults_arrive_with_their_own_eip_again_and_again() -> None:
    board = Board("f4" + "66b83412" + "8ed8")  # mov ax,0x1234; mov ds,ax: #GP(0x1234)
    board.cpu.state.eip = CODE + 1
    board.handler.resume_at = CODE + 1
    board.run(8)
    assert board.handler.seen == [("exception", 13, False, CODE + 5, 0x1234)] * 4


def test_an_invalid_opcode_arrives_as_vector_6() -> None:
    board = Board("0f0b")
    board.handler.resume_at = CODE
    board.run(2)
    assert board.handler.seen == [("exception", 6, False, CODE, 0)] * 2


def test_a_handlers_own_error_comes_out_of_run() -> None:
    board = Board("cd80")
    board.handler.fails = True
    with pytest.raises(ZeroDivisionError):
        board.run(10)


def test_ports_see_value_size_and_place() -> None:
    board = Board("e44166e541e541e680f4")
    board.run(10)
    assert [row[:3] for row in board.handler.seen] == [
        ("in", 0x41, 1),
        ("in", 0x41, 2),
        ("in", 0x41, 4),
        ("out", 0x80, 1),
    ]
    assert board.cpu.state.regs[Gpr.EAX] == 0x1122_3344
    assert board.handler.seen[0][3] == CODE


def test_cpuid_and_rdtsc_answer_what_the_handler_says() -> None:
    board = Board("b8410000000fa289c60f31f4")
    board.run(10)
    regs = board.cpu.state.regs
    assert (regs[Gpr.ESI], regs[Gpr.EBX], regs[Gpr.ECX]) == (0x42, 2, 3)
    assert (regs[Gpr.EDX], regs[Gpr.EAX]) == (5, 6)


def test_memory_beyond_ram_is_asked_of_the_handler() -> None:
    board = Board("a100000050a3fcfffffff4")
    board.run(10)
    assert board.handler.seen == [("read", 0x5000_0000, 4), ("write", 0xFFFF_FFFC, 4, 0xCAFE_BABE)]


def test_code_beyond_ram_cannot_be_executed() -> None:
    board = Board("b800000050ffe0")
    assert board.run(10) is Halted.NOWHERE
    assert board.cpu.state.eip == 0x5000_0000


def test_flags_survive_the_way_through_the_structure() -> None:
    board = Board("90f4")
    board.cpu.eflags = 0x8D5 | 0x400 | 2
    board.run(1)
    assert board.cpu.eflags == 0x8D5 | 0x400 | 2


def test_flags_are_right_when_the_cpu_keeps_them_lazily() -> None:
    board = Board("b8ffffff7f83c001fdf4")  # 0x7fffffff + 1: OF SF AF PF; then STD
    board.run(3)
    assert board.cpu.eflags == 0x800 | 0x80 | 0x10 | 0x4 | 0x400 | 2


def test_the_ring_of_pcs_and_the_heat_of_pages_tell_what_ran() -> None:
    board = Board("c705000003000a000000a100000300f4")
    board.run(10)
    assert [int(pc) for pc in board.buffers.ring[:3]] == [CODE, CODE + 10, CODE + 15]
    assert (board.buffers.writes[0x30], board.buffers.reads[0x30], board.buffers.fetches[1]) == (1, 1, 3)
    assert board.buffers.dirty[0x30] == 1
    assert not board.buffers.dirty[0x31]


def test_a_write_across_a_page_border_dirties_both_pages() -> None:
    board = Board("c705fe0f03000a000000f4")
    board.run(10)
    assert list(board.buffers.dirty[0x30:0x32]) == [1, 1]


def test_fetches_are_counted_by_frame_not_by_linear_page() -> None:
    """Linear 0x400000 is mapped to the frame at 0x6000."""
    board = Board("e9faef3f00")  # jmp 0x3fffff + …: to 0x400000 - 1 + 1
    ram = board.ram
    ram.write_u32(HostPhysical(0x20000), 0x21007)
    ram.write_u32(HostPhysical(0x20004), 0x22007)
    for page in range(256):
        ram.write_u32(HostPhysical(0x21000 + 4 * page), page << 12 | 7)
    ram.write_u32(HostPhysical(0x22000), 0x6007)
    ram.write(HostPhysical(CODE), b"\xe9" + (0x400000 - CODE - 5).to_bytes(4, "little"))
    ram.write(HostPhysical(0x6000), b"\x90\x90\xf4")
    board.cpu.write_cr(3, 0x20000)
    board.cpu.write_cr(0, 0x8000_0011)
    board.run(10)
    assert board.buffers.fetches[6] == 3


def test_overwritten_code_is_forgotten_when_told() -> None:
    board = Board("40ebfd")  # inc eax; jmp
    board.run(10)
    board.ram.write(HostPhysical(CODE), b"\x48")  # dec eax
    board.cpu.forget_code(CODE, 1)
    before = board.cpu.state.regs[Gpr.EAX]
    board.cpu.state.eip = CODE
    board.run(1)
    assert board.cpu.state.regs[Gpr.EAX] == before - 1
