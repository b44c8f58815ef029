"""Several VMs on one machine: each is what it would be alone, has its share, its memory, and its own end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.cpu.guest_cpu import GuestCpu
from core.errors import RequestError, UnknownName
from core.events import Cause, EndHow, Ring, StopReason, Trap
from core.guests.assembler import assemble
from core.guests.catalog import load_program
from core.guests.image import Program
from core.layout import MIB
from core.registers import read_registers
from core.scheduler import PERIOD
from core.session import Session
from tests.bench import loops

KIND = "trap_emulate"
PEBBLE = load_program("pebble-clean")
GREEDY = loops.program(loops.ENDLESS)
TRAPPING = loops.program(loops.TRAPS)
# lidt of an empty table, then int 3: #BP, then #GP, then #DF find no gate
TRIPLE_FAULT = loops.program(bytes.fromhex("0f011d00002000 cc".replace(" ", "")))
SMALL = 4 * MIB


@pytest.fixture
def session() -> Iterator[Session]:
    lab = Session(recording=False)
    yield lab
    lab.close()


def host(session: Session, *programs: Program, weights: tuple[int, ...] = ()) -> None:
    session.load(programs[0], KIND)
    for program in programs[1:]:
        session.vms.add(program, KIND)
    for letter, weight in zip(session.vms.letters, weights, strict=False):
        session.vms.set_weight(letter, weight)


def executed(session: Session) -> dict[str, int]:
    counts = {}
    for letter in session.vms.letters:
        session.select(letter)
        counts[letter] = session.executed
    return counts


def test_vms_whose_code_is_rewritten_run_beside_others_as_they_do_alone(session: Session) -> None:
    kinds_ = ("translation", "trap_emulate", "translation")
    alone = []
    for kind in kinds_:
        session.load(PEBBLE, kind, command_line="run=forks")
        session.run()
        alone.append((session.end, session.executed, session.console))
    session.load(PEBBLE, kinds_[0], command_line="run=forks")
    for kind in kinds_[1:]:
        session.vms.add(PEBBLE, kind, command_line="run=forks")
    session.run()
    beside = []
    for letter in session.vms.letters:
        session.select(letter)
        beside.append((session.end, session.executed, session.console))
    assert beside == alone


def test_four_pebbles_boot_beside_each_other_and_each_shell_answers(session: Session) -> None:
    host(session, *[PEBBLE] * 4)
    session.run(4_600_000)
    for letter in session.vms.letters:
        session.select(letter)
        assert session.console.endswith(b"$ ")
        session.inputs.send(f"echo I am {letter}\n".encode())
    session.run(600_000)
    for letter in session.vms.letters:
        assert session.vms.console_of(letter).decode().endswith(f"\r\nI am {letter}\r\n$ ")


# -- a VM beside others is the VM alone


def seen(session: Session) -> object:
    """All that a guest could see of itself, and what the CPU really held."""
    vmm = session.vmm
    registers = read_registers(vmm.guest, GuestCpu(session.machine.cpu))
    believed = [(each.name, each.believed) for each in registers]
    real = [(each.name, each.real) for each in registers if each.name != "CR3"]  # its frames are others
    memory = vmm.physical.read(0, vmm.physical.size)  # type: ignore[arg-type]
    return session.executed, believed, real, memory, session.console, session.end


def story(traps: list[Trap]) -> list[object]:
    """What happened to one VM, without what depends on where its frames lie and what others did."""
    return [
        (trap.time, trap.ring_from, trap.cause, trap.vector, trap.error_code, trap.pc, trap.pc_after)
        for trap in traps
        if trap.cause is not Cause.WORLD_SWITCH
    ]


def test_a_vm_beside_others_is_equal_to_the_instruction_to_the_vm_alone(session: Session) -> None:
    lines = {"A": "run=forks", "B": "run=primes 5000", "C": "run=pages", "D": "run=counter 2"}
    session.load(PEBBLE, KIND, command_line=lines["A"])
    for letter in "BCD":
        assert session.vms.add(PEBBLE, KIND, command_line=lines[letter]) == letter
    session.vms.set_weight("B", 3)
    session.vms.set_cap("C", 30)
    alone = Session(recording=False)
    for limit in (1_234_567, None):
        session.run(limit)
        for letter in session.vms.letters:
            session.select(letter)
            alone.load(PEBBLE, KIND, command_line=lines[letter])
            alone.run(session.executed)
            if session.end is not None:
                alone.run()
            assert seen(session) == seen(alone), letter
            mine = [trap for trap in session.traps.recent() if trap.vm == letter]
            assert story(mine) == story(alone.traps.recent())
            assert session.end is None or session.time == alone.time
    alone.close()
    assert session.traps.causes[Cause.WORLD_SWITCH] > 100
    assert {session.end.status if session.end else None} == {0}


def test_world_switches_are_recorded_and_say_from_whom_to_whom_and_why(session: Session) -> None:
    host(session, GREEDY, PEBBLE)
    session.run(50_000)
    first, second = (trap for trap in session.traps.recent() if trap.cause is Cause.WORLD_SWITCH)
    assert (first.vm, first.believed, first.ring_from, first.ring_to) == ("A", Ring.KERNEL, Ring.ONE, Ring.KERNEL)
    assert first.outcome == "put A aside (its turn of at most 20,000 instructions is over) and let B run"
    assert first.pc == loops.CODE
    assert (second.vm, second.pc_after) == ("B", loops.CODE)
    assert first.machine_time == 20_000
    assert second.machine_time == 40_000


def test_without_emptying_the_tlb_a_vm_would_see_anothers_memory(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Why a world switch must do it: both VMs use the same linear addresses."""
    count_up = loops.program(bytes.fromhex("ff0500002000 ebf8".replace(" ", "")))  # inc dword [0x200000]; jmp
    host(session, count_up, count_up)
    monkeypatch.setattr(session.machine.cpu, "flush_tlb", lambda: None)
    session.run(100_000)
    wrong = [session.read_memory(loops.DATA, 4)]
    session.select("B")
    wrong.append(session.read_memory(loops.DATA, 4))
    monkeypatch.undo()
    host(session, count_up, count_up)
    session.run(100_000)
    right = [session.read_memory(loops.DATA, 4)]
    session.select("B")
    right.append(session.read_memory(loops.DATA, 4))
    assert sum(int.from_bytes(each, "little") for each in right) == 50_000
    assert wrong != right
    assert min(int.from_bytes(each, "little") for each in wrong) == 0  # B counted in A's frame, or the reverse


# -- time is shared fairly


def test_shares_are_within_5_percent_of_the_weights_over_10_million_instructions(session: Session) -> None:
    work = loops.program(loops.WORK_FOREVER)
    host(session, GREEDY, work, work, GREEDY, weights=(1, 2, 3, 4))
    session.run(10_000_000)
    total = session.machine_executed
    assert total == 10_000_000
    for (letter, got), weight in zip(executed(session).items(), (1, 2, 3, 4), strict=True):
        assert got == pytest.approx(total * weight / 10, rel=0.05), letter


def test_a_greedy_vm_does_not_slow_others_below_their_share(session: Session) -> None:
    session.load(PEBBLE, KIND, command_line="run=primes 20000")
    session.vms.add(GREEDY, KIND)
    session.vms.add(GREEDY, KIND)
    while session.end is None:
        session.run(100_000)
    counts = executed(session)
    assert session.vms.console_of("A").endswith(b"primes: 2262 up to 20000\r\n")
    assert counts["A"] >= (sum(counts.values()) - 100_000) / 3 * 0.95


def test_a_cap_holds_beside_others_and_alone(session: Session) -> None:
    host(session, GREEDY, GREEDY)
    session.vms.set_cap("A", 10)
    session.run(2 * PERIOD)
    assert executed(session) == {"A": PERIOD // 5, "B": 2 * PERIOD - PERIOD // 5}
    session.vms.pause("B")
    before = session.machine_time
    session.run(PERIOD // 2)
    assert session.machine_time - before >= 4 * PERIOD  # the machine stands idle in between


def test_a_halted_vm_yields_and_its_idle_time_passes_while_others_run(session: Session) -> None:
    host(session, PEBBLE, GREEDY)
    session.run(3_000_000)
    counts = executed(session)
    assert counts["B"] > counts["A"] * 2  # the shell waits for its timer most of the time
    session.select("A")
    assert session.time == pytest.approx(session.machine_time, abs=PERIOD * 2)


# -- pausing, resetting, ending


def test_a_paused_vm_does_nothing_until_it_is_resumed(session: Session) -> None:
    host(session, GREEDY, GREEDY)
    session.run(100_000)
    before = executed(session)
    session.vms.pause("A")
    session.run(100_000)
    assert executed(session)["A"] == before["A"]
    session.select("A")
    with pytest.raises(RequestError, match="VM A is paused"):
        session.step()
    session.vms.resume("A")
    session.run(100_000)
    assert executed(session)["A"] == pytest.approx(before["A"] + 50_000, abs=10_000)


def test_all_paused_is_a_wait_for_the_person(session: Session) -> None:
    host(session, GREEDY, GREEDY)
    session.vms.pause("A")
    session.vms.pause("B")
    assert session.run() is StopReason.WAITING


def test_a_triple_fault_ends_its_own_vm_only_and_names_the_three(session: Session) -> None:
    host(session, GREEDY, TRIPLE_FAULT, load_program("hello"))
    assert session.run(400_000) is StopReason.BUDGET
    session.select("B")
    assert session.end is not None
    assert session.end.how is EndHow.ERROR
    assert "#BP breakpoint, then #GP general protection, then #DF double fault" in session.end.sentence
    session.select("A")
    assert session.end is None
    assert session.vms.console_of("C").startswith(b"Hello")
    assert executed(session)["A"] > 300_000


def test_the_machine_ends_when_the_last_guest_has(session: Session) -> None:
    host(session, TRIPLE_FAULT, load_program("hello"))
    assert session.run() is StopReason.ENDED
    assert session.vms.console_of("B").startswith(b"Hello")


def test_a_reset_beside_others_powers_one_vm_off_and_on(session: Session) -> None:
    host(session, GREEDY, TRIPLE_FAULT)
    session.run(100_000)
    counts = executed(session)
    session.select("B")
    session.reset()
    assert session.end is None
    session.run(50_000)
    assert session.end is not None
    assert "Triple fault" in session.end.sentence
    assert executed(session)["A"] >= counts["A"]


def test_a_destroyed_vm_gives_every_frame_back_scrubbed(session: Session) -> None:
    host(session, GREEDY)
    frames = session.machine.frames
    before = frames.free_bytes()
    assert session.vms.add(PEBBLE, KIND, memory=SMALL * 2) == "B"
    session.run(2_000_000)
    was = frames.owned("VM B") + frames.owned("monitor of B")
    session.vms.remove("B")
    assert frames.free_bytes() == before
    assert session.vms.letters == ("A",)
    assert not any(session.machine.ram.read(frame, 4096).strip(b"\0") for frame in was[: SMALL * 2 // 4096])
    assert session.run(100_000) is StopReason.BUDGET
    assert session.vms.add(PEBBLE, KIND) == "C"  # letters are not used twice: the record names them


def test_removing_the_vm_that_is_selected_or_running_leaves_the_others_well(session: Session) -> None:
    host(session, GREEDY, PEBBLE)
    session.run(50_000)
    session.select("A")
    session.vms.remove("A")
    assert session.selected == "B"
    session.run(1_200_000)
    assert session.console.endswith(b"$ ")
    with pytest.raises(RequestError, match="VM B is the only one"):
        session.vms.remove("B")
    with pytest.raises(UnknownName, match="There is no VM A"):
        session.select("A")


# -- what is refused


def test_a_bare_machine_hosts_one_guest_only(session: Session) -> None:
    session.load(GREEDY, "bare")
    with pytest.raises(RequestError, match="has it for itself"):
        session.vms.add(GREEDY, KIND)
    session.load(GREEDY, KIND)
    with pytest.raises(RequestError, match="has it for itself"):
        session.vms.add(GREEDY, "bare")
    assert session.vms.letters == ("A",)


def test_a_vm_larger_than_free_memory_is_refused_with_the_figures(session: Session) -> None:
    host(session, GREEDY, GREEDY)
    before = session.machine.frames.owners()
    with pytest.raises(RequestError, match=r"100.0 MiB has no place: of the machine's 128 MiB only 8\d\.\d are free"):
        session.vms.add(GREEDY, KIND, memory=100 * MIB)
    with pytest.raises(RequestError, match="A VM cannot have"):
        session.vms.add(GREEDY, KIND, memory=1000)
    with pytest.raises(RequestError, match=r"pebble-clean|loop"):
        session.vms.add(loops.program(bytes(3 * MIB)), KIND, memory=2 * MIB)
    assert session.machine.frames.owners() == before
    for weight, cap in ((0, None), (1, 0), (1, 101)):
        with pytest.raises(RequestError):
            session.vms.add(GREEDY, KIND, weight=weight, cap=cap)
    assert session.vms.letters == ("A", "B")
    assert session.vms.add(GREEDY, KIND) == "C"


# -- stepping and stopping


def test_a_step_is_the_selected_vms_and_the_selection_goes_along_at_a_world_switch(session: Session) -> None:
    host(session, GREEDY, GREEDY)
    session.step()
    assert executed(session) == {"A": 1, "B": 0}
    session.select("B")
    session.step()
    assert executed(session) == {"A": 1, "B": 1}
    session.select("B")
    session.step(20_000)
    assert session.selected == "A"
    assert executed(session) == {"A": 2, "B": 20_000}


def test_a_breakpoint_belongs_to_a_vm_and_selects_it(session: Session) -> None:
    host(session, TRAPPING, TRAPPING)
    session.select("B")
    session.breakpoints = frozenset({loops.CODE + 1})
    session.select("A")
    assert session.breakpoints == frozenset()
    assert session.run(100_000) is StopReason.BREAKPOINT
    assert (session.selected, session.pc) == ("B", loops.CODE + 1)


def test_stopping_and_looking_between_changes_nothing(session: Session) -> None:
    host(session, PEBBLE, TRAPPING, GREEDY)
    session.run(250_000)
    straight = session.traps.recent(), executed(session)
    host(session, PEBBLE, TRAPPING, GREEDY)
    for part in (1, 33_333, 20_000, 146_666, 50_000):
        session.run(part)
        executed(session)
        session.select("B")
    assert (session.traps.recent(), executed(session)) == straight


@pytest.mark.parametrize("kind", ["hardware", "hardware_shadow"])
def test_the_hardware_breakpoints_of_a_vm_interrupt_no_other(session: Session, kind: str) -> None:
    arms = f"mov eax, {loops.CODE}\nmov dr0, eax\nmov eax, 2\nmov dr7, eax\nagain: jmp again"
    session.load(GREEDY, kind)
    session.vms.add(assemble(arms, "arms.s"), kind)
    session.run(100_000)
    assert [vm.end for vm in session.vms.summaries()] == [None, None]
    session.vms.remove("B")
    session.run(1_000)
    assert session.end is None
