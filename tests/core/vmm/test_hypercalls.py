"""Hypercalls with any arguments: errors come back, counts stay right, no other memory is touched, nobody dies."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from core.addresses import PAGE_SHIFT, PAGE_SIZE, GuestPhysical, HostPhysical
from core.cpu.context import Gpr
from core.events import Cause, EndHow, Ring
from core.guests.assembler import assemble
from core.guests.catalog import load_program
from core.guests.image import Interface
from core.layout import PARAVIRT_START
from core.memory.walk import PRESENT, WRITABLE
from core.session import Session
from core.vmm.domain_builder import Layout
from core.vmm.frame_types import MONITOR_SLOT, FrameType
from core.vmm.hypercall_abi import Hypercall
from core.vmm.paravirt import Paravirt

CALLS_A_ROUND, ROUNDS = 2000, 5
SCRATCH = 0xE00  # a page of the guest's that nobody uses; the arguments are put there
ERRNOS = {-number & 0xFFFF_FFFF for number in (1, 2, 14, 16, 22, 28, 38)}
COUNTS = {Hypercall.CONSOLE_IO, Hypercall.XEN_VERSION}  # these give a number


@pytest.fixture
def session() -> Iterator[Session]:
    lab = Session(recording=False)
    yield lab
    lab.close()


def monitor(session: Session, letter: str = "A") -> Paravirt:
    vmm = session.hypervisor.vms[letter].vmm
    assert isinstance(vmm, Paravirt)
    return vmm


def recount(vmm: Paravirt, extra: tuple[int, ...] = ()) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Uses and references of every page, counted anew from what there is."""
    types, physical = vmm.types, vmm.physical
    uses, references = np.zeros_like(types.uses), np.zeros_like(types.references)
    layout = Layout.of(physical)

    def count(frame: int, *, used: bool) -> None:
        page = physical.page(frame)
        assert page >= 0, f"frame {frame:#x} is not the VM's"
        uses[page] += used
        references[page] += 1

    for page in (layout.console_ring, layout.disk_ring, *extra):
        count(physical.frames[page] >> PAGE_SHIFT, used=True)
    count(vmm.state.root, used=True)
    for page in np.flatnonzero(types.pinned):
        count(physical.frames[page] >> PAGE_SHIFT, used=True)
    for frame in vmm.state.gdt:
        count(frame, used=True)
    for page in np.flatnonzero(types.uses):
        level = FrameType(int(types.types[page]))
        if level not in (FrameType.TABLE_1, FrameType.TABLE_2):
            continue
        words = types.words(physical.frames[page] >> PAGE_SHIFT)
        if level is FrameType.TABLE_2:
            assert int(words[MONITOR_SLOT]) & ~0x60 == types.monitor_entry & ~0x60
            words = words[:MONITOR_SLOT]
        for entry in words[np.flatnonzero(words & PRESENT)].tolist():
            frame = entry >> PAGE_SHIFT
            if frame == vmm._shared >> PAGE_SHIFT:
                continue
            count(frame, used=level is FrameType.TABLE_2 or bool(entry & WRITABLE))
            wanted = FrameType.TABLE_1 if level is FrameType.TABLE_2 else FrameType.WRITABLE
            if level is FrameType.TABLE_2 or entry & WRITABLE:
                assert types.type_of(frame) is wanted
    return uses, references


def assert_counts(vmm: Paravirt, extra: tuple[int, ...] = ()) -> None:
    uses, references = recount(vmm, extra)
    assert np.array_equal(uses, vmm.types.uses)
    assert np.array_equal(references, vmm.types.references)


def others(session: Session, vmm: Paravirt) -> bytes:
    """All memory that is neither the VM's nor its monitor's."""
    ram = session.machine.ram
    mine = {f"VM {vmm.letter}", f"monitor of {vmm.letter}"}
    owners = session.machine.frames.owners()
    return b"".join(
        ram.read(HostPhysical(number << PAGE_SHIFT), PAGE_SIZE)
        for number, owner in enumerate(owners)
        if owner and owner not in mine
    )


class Chance:
    """Arguments that go deep: frames, entries, addresses and small numbers, right ones and wrong ones."""

    def __init__(self, vmm: Paravirt, seed: int) -> None:
        self.rng = random.Random(seed)
        self._vmm = vmm
        self._own = [frame >> PAGE_SHIFT for frame in vmm.physical.frames[: vmm.types.uses.size]]
        layout = Layout.of(vmm.physical)
        self._tables = [self._own[page] for page in (layout.directory, *layout.tables, 0xE10, 0xE11, 0xE12)]

    def frame(self) -> int:
        rng = self.rng
        pick = rng.random()
        if pick < 0.4:
            return rng.choice(self._tables)
        return rng.choice(self._own) if pick < 0.7 else rng.choice((rng.randrange(1 << 20), rng.randrange(0x8000)))

    def word(self) -> int:
        rng = self.rng
        match rng.randrange(9):
            case 0:
                return rng.randrange(40)
            case 1 | 2:
                return self.frame()
            case 3:
                return self.frame() << PAGE_SHIFT | rng.choice((0, 1, 3, 5, 7, 0x67, 0x87, 0x107, 0x203))
            case 4:
                return self.frame() << PAGE_SHIFT | rng.randrange(0, PAGE_SIZE, 4)
            case 5:
                return SCRATCH << PAGE_SHIFT | rng.randrange(0, PAGE_SIZE, 4)
            case 6:
                return rng.choice((0, 1, 0xE019, 0xE021, 0xE02B, 0xE033, 0xFFC0_0000, 0xFFFF_FFF0, PARAVIRT_START))
            case 7:
                return rng.randrange(1 << 32)
        return rng.choice(self._vmm.physical.frames[:4096])

    def structure(self) -> bytes:
        """What the scratch page holds: sometimes random words, sometimes entries of the right shape."""
        rng = self.rng
        match rng.randrange(4):
            case 0:
                updates = [(self.frame() << PAGE_SHIFT | rng.randrange(0, PAGE_SIZE, 4), 0, self.word(), 0)] * 4
                return b"".join(struct.pack("<4I", *update) for update in updates)
            case 1:
                return b"".join(struct.pack("<3I", rng.randrange(9), self.frame(), 0) for _ in range(8))
            case 2:
                calls = [(self.number(), 0, *(self.word() for _ in range(6))) for _ in range(4)]
                return b"".join(struct.pack("<8I", *call) for call in calls)
        return b"".join(struct.pack("<I", self.word()) for _ in range(64))

    def number(self) -> int:
        return self.rng.choice([int(each) for each in Hypercall] if self.rng.random() < 0.97 else [self.word()])


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_random_calls_give_errors_and_leave_every_count_right(session: Session, seed: int) -> None:
    session.load(load_program("pebble-pv"), "paravirt")
    session.add_vm(load_program("pebble-pv"), "paravirt", command_line="run=primes 300")
    session.run(700_000)
    session.select("A")
    vmm, cpu = monitor(session), session.machine.cpu
    before = others(session, vmm)
    chance = Chance(vmm, seed)
    vmm.types.use(vmm.physical.frames[SCRATCH] >> PAGE_SHIFT, FrameType.WRITABLE)
    world = cpu.save_world()
    refused = done = 0
    for number in range(CALLS_A_ROUND):
        cpu.load_world(world)
        vmm.load_root()
        vmm.physical.write(GuestPhysical(SCRATCH << PAGE_SHIFT), chance.structure())
        guest, call = vmm.guest, chance.number()
        arguments = [chance.word() for _ in range(5)]
        if chance.rng.random() < 0.6:  # a place that can be read, and a number of entries that is sane
            at = SCRATCH << PAGE_SHIFT
            arguments[chance.rng.choice((0, 1))] = at
            arguments[1 if arguments[0] == at else 0] = chance.rng.randrange(10)
        guest.set_reg(Gpr.EAX, call)
        for register, value in zip((Gpr.EBX, Gpr.ECX, Gpr.EDX, Gpr.ESI, Gpr.EDI), arguments, strict=True):
            guest.set_reg(register, value)
        name, text = vmm._calls.call()
        value = guest.reg(Gpr.EAX)
        if call != Hypercall.IRET:
            assert value in ERRNOS or value == 0 or call in COUNTS, (number, name, text, value)
        refused += value in ERRNOS
        done += value == 0
        if not number % 100:
            assert_counts(vmm, (SCRATCH,))
    assert refused > CALLS_A_ROUND // 10
    assert done > CALLS_A_ROUND // 10
    assert_counts(vmm, (SCRATCH,))
    assert others(session, vmm) == before
    cpu.load_world(world)
    vmm.load_root()
    vmm.interposer.end = None
    session.run(200_000)  # whatever becomes of that guest
    session.select("B")
    while session.end is None:
        session.run(1_000_000)
    assert session.console.endswith(b"primes: 62 up to 300\r\n")


def test_a_run_of_pebble_leaves_every_count_right(session: Session) -> None:
    session.load(load_program("pebble-pv"), "paravirt", command_line="run=forks")
    while session.end is None:
        session.run(100_000)
        assert_counts(monitor(session))


# -- small guests, in assembly

HEAD = """
    .macro hypercall number, a=0, b=0, c=0, d=0
    mov eax, \\number
    mov ebx, \\a
    mov ecx, \\b
    mov edx, \\c
    mov esi, \\d
    int 0x82
    .endm
start:
    mov [start_page], esi
"""
TAIL = """
done:
    hypercall 29, 2, "offset status"
    .balign 4096
status: .long 0, 0
start_page: .long 0
results: .long 0, 0, 0, 0, 0, 0, 0, 0
    .balign 4096
updates: .skip 4096
"""


def ran(session: Session, code: str) -> Paravirt:
    program = replace(assemble(HEAD + code + TAIL, "guest.s"), interface=Interface.PARAVIRT)
    session.load(program, "paravirt")
    session.run(100_000)
    return monitor(session)


def results(session: Session) -> tuple[int, ...]:
    assert session.program is not None
    at = session.program.symbols["results"]
    return struct.unpack("<8i", session.vmm.physical.read(GuestPhysical(at), 32))


# EDI: the machine address of the entry that maps page 0xE00; EBP: that page's frame number
ENTRY = """
    mov eax, [start_page]
    mov ebx, [eax + 40]         # the directory, one to one
    mov edx, [ebx + 12]         # its entry for the fourth 4 MiB
    and edx, 0xfffff000
    lea edi, [edx + 4 * 0x200]
    mov ecx, [eax + 48]         # the list of frames
    mov ebp, [ecx + 4 * 0xe00]
"""


def test_batches_cost_one_departure_where_single_calls_cost_one_each(session: Session) -> None:
    fill = (
        ENTRY
        + """
    xor ecx, ecx
fill:
    mov edx, ecx
    shl edx, 4
    lea eax, [edi + 4 * ecx]
    mov [updates + edx], eax
    mov dword ptr [updates + edx + 8], 0
    inc ecx
    cmp ecx, 32
    jb fill
"""
    )
    single = (
        fill
        + """
    xor ebp, ebp
again:
    lea eax, [updates + ebp]
    hypercall 1, eax, 1
    add ebp, 16
    cmp ebp, 32 * 16
    jb again
"""
    )
    counts = {}
    for name, code in (("single", single.replace("hypercall 1, eax, 1", SINGLE)), ("batch", fill + BATCH)):
        vmm = ran(session, code)
        assert session.end is not None
        assert session.end.how is EndHow.EXIT
        assert not vmm.types.references[0xE00:0xE20].any()  # each of the 32 pages is mapped no more
        counts[name] = session.traps.causes[Cause.HYPERCALL]
    assert counts == {"single": 33, "batch": 2}


SINGLE = "mov ebx, eax\nmov eax, 1\nmov ecx, 1\nxor edx, edx\nint 0x82"
BATCH = 'hypercall 1, "offset updates", 32\n'


def test_no_guest_maps_a_frame_that_is_not_its_own_nor_writes_its_page_tables(session: Session) -> None:
    code = (
        ENTRY
        + """
    mov [updates], edi
    mov dword ptr [updates + 8], 0x00000003     # frame 0: the host's
    hypercall 1, "offset updates", 1
    mov [results], eax
    mov eax, edi
    and eax, 0xfffff000
    or eax, 3
    mov [updates + 8], eax                      # the page table itself, to be written
    hypercall 1, "offset updates", 1
    mov [results + 4], eax
    and dword ptr [updates + 8], 0xfffffffd     # to be read
    hypercall 1, "offset updates", 1
    mov [results + 8], eax
    mov eax, [start_page]
    mov ebx, [eax + 40]
    hypercall 14, 0xffc00000, 0, 0              # the monitor's region
    mov [results + 12], eax
    mov eax, [0xe00000 + 4 * 0x200]             # read the table through its new mapping
    mov [results + 16], eax
    mov dword ptr [0xe00000], 0                 # and write it
    """
    )
    vmm = ran(session, code)
    assert results(session)[:4] == (-1, -16, 0, -1)
    assert results(session)[4] & 0xFFFF_FFFF == vmm.types.words(results(session)[4] >> PAGE_SHIFT & 0xFFFFF)[0x200]
    assert session.end is not None
    assert "no handler for #PF" in session.end.sentence
    last = session.traps.last
    assert last is not None
    assert last.cause is Cause.PAGE_FAULT_TRUE
    assert_counts(vmm)


def test_a_program_cannot_call_the_hypervisor(session: Session) -> None:
    code = """
    mov eax, offset user
    shr eax, 12
    mov ecx, [start_page]
    mov ecx, [ecx + 48]
    mov ecx, [ecx + 4 * eax]
    shl ecx, 12
    or ecx, 5
    hypercall 14, "offset user", ecx, 2         # a page that ring 3 may read
    mov eax, offset user
    push 0xe033
    push 0x300000
    push 0x202
    push 0xe02b
    push eax
    push 0
    hypercall 23
    .balign 4096
user:
    int 0x82
    .balign 4096
    """
    ran(session, code)
    last = session.traps.last
    assert last is not None
    assert (last.ring_from, last.vector) == (Ring.USER, 0x82)
    assert session.end is not None
    assert "no handler for #GP" in session.end.sentence
    assert session.traps.causes[Cause.HYPERCALL] == 2


def test_descriptors_of_the_guests_own_are_taken_without_ring_0_and_without_gates(session: Session) -> None:
    code = (
        ENTRY
        + """
    mov dword ptr [0xe00008], 0x0000ffff
    mov dword ptr [0xe0000c], 0x00cf9200        # flat data, DPL 0
    mov [updates], ebp
    hypercall 2, "offset updates", 2
    mov [results], eax                          # its page can still be written: refused
    mov eax, ebp
    shl eax, 12
    or eax, 1
    mov ecx, eax
    hypercall 14, 0xe00000, ecx, 2
    hypercall 2, "offset updates", 2
    mov [results + 4], eax
    mov ax, 0x09
    mov es, ax
    mov eax, es:[start_page]
    mov [results + 8], eax
    mov eax, ebp
    shl eax, 12
    add eax, 16
    mov ebx, eax
    mov eax, 10
    xor ecx, ecx
    mov edx, 0x00080000
    mov esi, 0x0000ee00                         # a gate
    int 0x82
    mov [results + 12], eax
    hypercall 2, 0, 0
    mov [results + 16], eax
    """
    )
    vmm = ran(session, code)
    assert results(session)[:5] == (-16, 0, PARAVIRT_START, -22, 0)
    assert vmm.types.words(vmm.physical.frames[0xE00] >> PAGE_SHIFT)[3] == 0x00CF_B300
    assert_counts(vmm)


def test_an_event_that_came_while_masked_is_delivered_when_the_guest_asks(session: Session) -> None:
    code = """
    hypercall 4, 0xe019, "offset upcall", 0xe019, "offset upcall"
    mov eax, [start_page]
    mov ecx, [eax + 36]
    shl ecx, 12
    or ecx, 3
    hypercall 14, "offset updates", ecx, 2        # the shared page
    mov dword ptr [results], 0
    hypercall 32, 1, "offset bind"
    mov eax, [bind + 8]
    mov [channel], eax
    hypercall 32, 9, "offset channel"
    hypercall 15, 100, 0                        # long past
    mov eax, [results]
    mov [results + 4], eax                      # masked: nothing came
    mov byte ptr [updates + 1], 0
    hypercall 17
    mov eax, [results]
    mov [results + 8], eax
    hypercall 15, 10000000, 0
    hypercall 29, 1                             # sleep until it comes
    mov eax, [results]
    mov [results + 12], eax
    jmp done
upcall:
    inc dword ptr [results]
    mov byte ptr [updates], 0
    mov dword ptr [updates + 0x800], 0
    push eax
    mov eax, 23
    int 0x82
bind: .long 0, 0, 0
channel: .long 0
    """
    ran(session, code)
    assert session.end is not None
    assert session.end.how is EndHow.EXIT
    assert results(session)[1:4] == (0, 1, 2)
    assert session.time >= 1_000_000


def test_operations_that_there_are_not_are_told_so(session: Session) -> None:
    ran(session, 'hypercall 29, 77, "offset status"\nmov [results], eax\nhypercall 99\nmov [results + 4], eax\n')
    assert results(session)[:2] == (-38, -38)


def test_where_a_run_is_interrupted_makes_no_difference(session: Session) -> None:
    ends = []
    for stride in (None, 977):
        session.load(load_program("pebble-pv"), "paravirt", command_line="run=greedy 40")
        while session.end is None:
            session.run(stride)
        ends.append((session.executed, session.time, session.traps.count, session.console))
    assert ends[0] == ends[1]
