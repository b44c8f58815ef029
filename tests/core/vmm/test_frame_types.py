"""Hypercalls with any arguments: errors come back, counts stay right, no other memory is touched, nobody dies."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

import pytest

from core.addresses import PAGE_SHIFT, PAGE_SIZE, GuestPhysical, HostPhysical
from core.cpu.context import Gpr
from core.guests.catalog import load_program
from core.layout import PARAVIRT_START
from core.session import Session
from core.vmm.domain_builder import Layout
from core.vmm.frame_types import FrameType
from core.vmm.hypercall_abi import Hypercall
from core.vmm.paravirt import Paravirt
from tests.core.vmm.paravirt_counts import assert_counts, monitor

CALLS_A_ROUND, ROUNDS = 2000, 5
SCRATCH = 0xE00  # a page of the guest's that nobody uses; the arguments are put there
ERRNOS = {-number & 0xFFFF_FFFF for number in (1, 2, 14, 16, 22, 28, 38)}
COUNTS = {Hypercall.CONSOLE_IO, Hypercall.XEN_VERSION}  # these give a number


@pytest.fixture
def session() -> Iterator[Session]:
    lab = Session(recording=False)
    yield lab
    lab.close()


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
    session.vms.add(load_program("pebble-pv"), "paravirt", command_line="run=primes 300")
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
