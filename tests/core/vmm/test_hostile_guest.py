"""A paravirtual guest that means harm: scripts of hypercalls, stores and jumps that a small kernel carries out itself.

The kernel recovers from every fault, so that a script goes on after what the monitor or the CPU forbids. After each the
counts of frames are taken anew from the tables that the CPU walked, and the VM beside it is as it was.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.addresses import PAGE_SHIFT, PAGE_SIZE, GuestPhysical
from core.cpu.context import Gpr
from core.events import EndHow
from core.guests.assembler import assemble
from core.guests.image import Interface
from core.session import Session
from core.vmm.domain_builder import Layout
from core.vmm.hypercall_abi import Errno, Hypercall
from core.vmm.paravirt import Paravirt
from tests.core.vmm.paravirt_counts import assert_counts, monitor

STORE, JUMP, RAISE, STACK = 0x100, 0x101, 0x102, 0x103  # steps that are no hypercalls
STEPS, STEP_BYTES = 16, 32
RESULTS = {0, *(-each & 0xFFFF_FFFF for each in Errno)}
OTHER_RESULTS = {Hypercall.CONSOLE_IO, Hypercall.XEN_VERSION, Hypercall.IRET}  # a number, or the guest's own EAX
KERNEL = """
start:
    mov ebx, offset table
    xor eax, eax
    int 0x82
next:
    mov esp, offset stack_top
    mov eax, [cursor]
    add dword ptr [cursor], 32
    cmp eax, offset script + 512
    jae stop
    mov ebx, [eax + 4]
    mov ecx, [eax + 8]
    mov edx, [eax + 12]
    mov esi, [eax + 16]
    mov edi, [eax + 20]
    mov eax, [eax]
    cmp eax, 0x100
    je store
    cmp eax, 0x101
    je jump
    cmp eax, 0x102
    je raise
    cmp eax, 0x103
    je stack
    int 0x82
    jmp next
store:
    mov [ebx], ecx
    jmp next
jump:
    jmp ebx
raise:
    ud2
stack:
    mov esp, ebx
    push ecx
    pop ecx
    ud2
stop:
    mov eax, 29
    mov ebx, 2
    mov ecx, offset status
    int 0x82
    jmp stop
    .balign 4096
table:
    .irp vector, 6, 10, 11, 12, 13, 14
    .byte \\vector, 0
    .word 0xe019
    .long next
    .endr
    .long 0, 0
status: .long 0, 0
cursor: .long script
    .balign 4096
script: .skip 4096
    .skip 4096
stack_top:
    .balign 4096
scratch: .skip 8192
"""
HOSTILE, BESIDE = (
    replace(assemble(text, name), interface=Interface.PARAVIRT)
    for text, name in ((KERNEL, "hostile.s"), ("start: jmp start\n", "beside.s"))
)
SCRATCH = "scratch"


@pytest.fixture(scope="module")
def lab() -> Iterator[Session]:
    session = Session(recording=False)
    yield session
    session.close()


# a word, to be resolved when the VM has its frames: (what it is, number, bits)
Word = tuple[str, int, int]
plain = st.tuples(
    st.just("plain"),
    st.one_of(
        st.integers(0, 40),
        st.sampled_from([0x82, 0xE019, 0xE021, 0xE02B, 0xE033, 9, 0x1B, 0x7FFF_FFFF, 0xFFBF_FFF0, 0xFFC0_0000]),
        st.integers(0, 0xFFFF_FFFF),
    ),
    st.just(0),
)
bits = st.sampled_from([0, 1, 3, 5, 7, 8, 0x67, 0x87, 0x107, 0xFFC])
pages = st.one_of(st.integers(0, 9), st.integers(0, 4200))
entry = st.tuples(st.sampled_from(["table", "page", "machine", "shared", "monitor"]), pages, bits)
frame = st.tuples(st.sampled_from(["table#", "page#", "machine#", "shared#", "monitor#"]), pages, st.just(0))
place = st.tuples(st.sampled_from([SCRATCH, "ring", "linear"]), st.integers(0, 2047), st.just(0))
words: st.SearchStrategy[Word] = st.one_of(plain, entry, frame, place)
zero: Word = ("plain", 0, 0)


def number(value: int) -> Word:
    return ("plain", value, 0)


def step(operation: int, *arguments: Word) -> tuple[Word, ...]:
    return (number(operation), *arguments)


scratch_0: Word = (SCRATCH, 0, 0)
counts = st.sampled_from([1, 2, 4, 4096, 4097]).map(number)
steps = st.one_of(
    st.builds(step, st.sampled_from([*map(int, Hypercall), 99]), words, words, words, words, words),
    st.builds(lambda at, value: step(Hypercall.UPDATE_VA_MAPPING, at, value, number(2)), place, entry),
    st.builds(
        lambda call, many: step(call, scratch_0, many, scratch_0),
        st.sampled_from([Hypercall.MMU_UPDATE, Hypercall.MMUEXT_OP, Hypercall.MULTICALL, Hypercall.SET_GDT]),
        counts,
    ),
    st.builds(
        lambda call, command: step(call, number(command), scratch_0),
        st.sampled_from([Hypercall.EVENT_CHANNEL_OP, Hypercall.SCHED_OP]),
        st.integers(0, 9).filter(lambda command: command != 2),
    ),
    st.builds(lambda number_, at, value: step(number_, at, value), st.sampled_from([STORE, JUMP, STACK]), place, words),
    st.just(step(RAISE)),
)
updates = st.lists(st.tuples(entry, st.just(zero), entry, st.just(zero)), min_size=4, max_size=4)
extended = st.lists(st.tuples(st.integers(0, 8).map(number), frame, st.just(zero)), min_size=4, max_size=4)
calls = st.lists(st.tuples(st.sampled_from(list(Hypercall)).map(lambda n: number(int(n))), *[words] * 7), max_size=4)
scratches = st.one_of(updates, extended, calls, st.lists(st.tuples(words), max_size=40)).map(
    lambda rows: [word for row in rows for word in row]
)
requests = st.lists(st.tuples(st.integers(0, 2).map(number), words, frame, plain), max_size=4)
indexes = st.tuples(*[st.one_of(st.integers(0, 40), st.integers(0, 0xFFFF_FFFF))] * 2)


class Resolver:
    """What the words of a script are on this machine."""

    def __init__(self, session: Session, vmm: Paravirt, scratch: int) -> None:
        self._vmm, self._scratch = vmm, scratch
        self._layout = Layout.of(vmm.physical)
        self._machine = session.machine.ram.size >> PAGE_SHIFT

    def _frame(self, what: str, index: int) -> int:
        frames, layout = self._vmm.physical.frames, self._layout
        match what:
            case "table":
                tables = (layout.directory, *layout.tables, self._scratch >> PAGE_SHIFT)
                return frames[tables[index % len(tables)]] >> PAGE_SHIFT
            case "page":
                return frames[index % (len(frames) - 1)] >> PAGE_SHIFT
            case "shared":
                return self._vmm._shared >> PAGE_SHIFT
            case "monitor":
                own = self._vmm._own_frames()
                return own[index % len(own)]
        return index * 8 % (self._machine + 64)

    def word(self, word: Word) -> int:
        what, index, low = word
        match what:
            case "plain":
                return index
            case "scratch":
                return self._scratch + 4 * (index % 1024)
            case "ring":
                return (self._layout.console_ring << PAGE_SHIFT) + 4 * index
            case "linear":
                return index << 21 & 0xFFFF_FFFF
        if what.endswith("#"):
            return self._frame(what[:-1], index)
        return (self._frame(what, index) << PAGE_SHIFT | low) & 0xFFFF_FFFF

    def packed(self, held: list[Word]) -> bytes:
        return b"".join(struct.pack("<I", self.word(word)) for word in held)


def watched_results(vmm: Paravirt) -> list[tuple[int, int]]:
    """Each call from now on, with what it gives."""
    results, guest, call = [], vmm.guest, vmm._calls.call

    def watched() -> tuple[str, str]:
        number = guest.reg(Gpr.EAX)
        told = call()
        results.append((number, guest.reg(Gpr.EAX)))
        return told

    vmm._calls.call = watched  # type: ignore[method-assign]
    return results


def of_others(session: Session) -> bytes:
    """All memory that is the host's, its other monitor's and its other VM's."""
    ram, owners = session.machine.ram, session.machine.frames.owners()
    theirs = np.array([bool(owner) and owner not in ("VM B", "monitor of B") for owner in owners], np.bool_)
    return ram.array.reshape(-1, PAGE_SIZE)[theirs].tobytes()


@example(  # the directory in its own slot, to be written; the monitor's frame; then a table as stack
    [
        step(Hypercall.MMU_UPDATE, scratch_0, number(4), zero),
        step(Hypercall.UPDATE_VA_MAPPING, scratch_0, ("monitor", 0, 3), number(2)),
        step(STACK, number(0x3000), zero),
        step(STACK, number(0xFFC0_0010), zero),
        step(Hypercall.SET_TIMER_OP, number(0xFFFF_FFFF), number(0xFFFF_FFFF)),
    ],
    [("table", 0, 0), zero, ("table", 0, 3), zero, ("table", 1, 8), zero, ("machine", 0, 7), zero],
    [],
    (0, 0xFFFF_FFFF),
)
@example(
    [step(Hypercall.EVENT_CHANNEL_OP, number(4), scratch_0)],
    [number(2)],
    [(number(0), number(1 << 31), ("monitor#", 1, 0), zero)],
    (0, 1),
)
@given(st.lists(steps, max_size=STEPS), scratches, requests, indexes)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_no_script_reaches_past_its_vm_or_upsets_a_count(
    lab: Session,
    script: list[tuple[Word, ...]],
    scratch: list[Word],
    asked: list[tuple[Word, ...]],
    ring: tuple[int, int],
) -> None:
    lab.load(BESIDE, "paravirt")
    lab.run(1000)  # its accessed bits are set
    lab.vms.add(HOSTILE, "paravirt")
    lab.select("B")
    vmm, at = monitor(lab, "B"), HOSTILE.symbols
    resolver, physical, layout = Resolver(lab, vmm, at["scratch"]), vmm.physical, Layout.of(vmm.physical)
    for index in range(STEPS):
        held = list(script[index]) if index < len(script) else [number(Hypercall.XEN_VERSION)]
        physical.write(GuestPhysical(at["script"] + index * STEP_BYTES), resolver.packed(held))
    physical.write(GuestPhysical(at["scratch"]), resolver.packed(scratch))
    disk = layout.disk_ring << PAGE_SHIFT
    physical.write(GuestPhysical(disk), struct.pack("<2I", *ring))
    for index, request in enumerate(asked):
        physical.write(GuestPhysical(disk + 64 + 32 * index), resolver.packed(list(request)))
    physical.write(GuestPhysical((layout.console_ring << PAGE_SHIFT) + 3072 + 8), struct.pack("<2I", *ring))
    results = watched_results(vmm)
    before = of_others(lab)
    lab.run(20_000)
    assert not vmm.interposer.report  # what the lab itself could not do
    assert lab.end is None or lab.end.how in (EndHow.EXIT, EndHow.ERROR)
    assert_counts(vmm)
    assert of_others(lab) == before
    assert all(value in RESULTS or number in OTHER_RESULTS for number, value in results)
