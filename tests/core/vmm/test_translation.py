"""The kind that rewrites its guest's kernel: what its cache does over time, and both of its modes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.addresses import PAGE_SHIFT, PAGE_SIZE, GuestPhysical
from core.errors import RequestError
from core.events import Cause, Ring, StopReason
from core.guests.assembler import assemble
from core.guests.catalog import load_program
from core.layout import MIB
from core.session import Session
from core.timeline.timeline import Recording
from core.translations import Reason, Switch, UnitCause, UnitEnd
from core.vmm.translation import Translation
from tests.bench import loops
from tests.bench.departures import loop_guest


@pytest.fixture
def session() -> Iterator[Session]:
    lab = Session(recording=False)
    yield lab
    lab.close()


def monitor(session: Session) -> Translation:
    assert isinstance(session.vmm, Translation)
    return session.vmm


def test_once_it_has_seen_a_loop_nothing_is_added_and_nobody_is_called(session: Session) -> None:
    session.load(loops.program(loops.CALLING_WORK), "translation")
    session.run(1000)
    cache = monitor(session).cache
    used, departures, hits = cache.used, session.traps.count, cache.hits
    session.run(100_000)
    assert (cache.used, session.traps.count) == (used, departures)
    assert cache.hits - hits > 7000


def test_ahead_of_time_is_the_same_run_with_less_to_translate_on_its_way(session: Session) -> None:
    ends, on_the_way = [], []
    for ahead in (False, True):
        session.load(load_program("pebble"), "translation", command_line="run=hello")
        found = monitor(session).translate_ahead([session.pc]) if ahead else 0
        session.run(5_000_000)
        ends.append((session.end, session.executed, session.time, session.console))
        on_the_way.append(monitor(session).cache.counters.units - found)
    assert ends[0] == ends[1]
    assert on_the_way[1] < on_the_way[0] / 2


def test_a_cache_that_is_full_is_emptied_and_the_guest_never_knows(session: Session) -> None:
    ends = []
    for kind in ("bare", "translation"):
        session.load(load_program("pebble"), kind, command_line="run=hello")
        if kind == "translation":
            cache = monitor(session).cache
            cache.region.size = 8192
        session.run(5_000_000)
        ends.append((session.end, session.executed, session.console))
    assert ends[0] == ends[1]
    assert cache.counters.flushes > 0


def test_the_cache_is_a_belt_on_ring_1(session: Session) -> None:
    session.load(load_program("hello"), "translation")
    session.run(200)
    (belt,) = monitor(session).stage().belts
    assert belt.ring is Ring.ONE
    assert 0 < belt.filled < 1


def test_pushf_shows_the_virtual_if_without_a_trap(session: Session) -> None:
    session.load(loops.program(bytes.fromhex("bc00802000 fa 9c 58 fb 9c 5b 90 90 ebfe")), "translation")
    session.run(8)
    registers = {register.name: register.believed for register in session.registers()}
    assert registers["EAX"] & 0x200 == 0
    assert registers["EBX"] & 0x200
    assert Cause.PRIVILEGED not in {trap.cause for trap in session.traps.since(0)}


def test_the_monitors_variables_are_written_once_for_each_cli_and_sti_in_the_record_too() -> None:
    session = Session()
    session.load(loops.program(bytes.fromhex("fa fb 90 ebfb")), "translation")
    session.run(400)
    frame = monitor(session).code_map.variables >> PAGE_SHIFT
    buffers = monitor(session).cpu.buffers
    before, buffers.dirty[frame] = int(buffers.writes[frame]), 0
    session.run(400)
    assert int(buffers.writes[frame]) - before == 200
    assert buffers.dirty[frame]
    session.close()


def test_running_to_new_code_stops_before_each_unit_and_changes_nothing() -> None:
    """Each unit is reported as it is made, and the guest that was stopped so often ends as if it had not been."""
    plain, halting = Session(recording=False), Session(recording=False)
    for session in (plain, halting):
        session.load(load_program("privileged"), "translation")
    plain.run()
    met = []
    while halting.run_to_new_code() is StopReason.BREAKPOINT:
        cache, block = halting.vmm.seen_cache(), halting.vmm.seen_block(None)
        assert cache is not None
        assert cache.newest is not None
        assert block is not None
        assert (cache.newest.ordinal, cache.newest.pc) == (block.block.ordinal, halting.pc)
        assert block.block.entered == 0
        met.append(cache.newest)
    ended = plain.vmm.seen_cache()
    assert ended is not None
    assert [each.ordinal for each in met] == list(range(ended.counters.units))
    assert {each.cause for each in met} >= {UnitCause.ENTRY, UnitCause.JUMP, UnitCause.LOOKUP}
    assert {each.end for each in met} >= {UnitEnd.FLOW, UnitEnd.LENGTH}
    assert (halting.end, halting.executed, halting.console) == (plain.end, plain.executed, plain.console)
    assert [trap[:12] for trap in halting.traps.since(0, 9999)] == [trap[:12] for trap in plain.traps.since(0, 9999)]
    plain.close()
    halting.close()


def remapping(session: Session, kind: str, *, adaptive: bool = True) -> dict[str, object]:
    """A guest that writes to its page table, in a loop."""
    session.load(loop_guest("remap"), kind)
    if kind == "translation":
        session.inputs.set_translation(Switch.ADAPTIVE, on=adaptive)
    session.run(8000)
    registers = [(register.name, register.believed) for register in session.registers()]
    return {"executed": session.executed, "registers": registers, "memory": memory(session)}


def memory(session: Session) -> bytes:
    assert session.vmm is not None
    return session.vmm.physical.read(GuestPhysical(0), session.vmm.physical.size)


def test_what_writes_page_tables_often_traps_no_more_and_the_guest_never_knows(session: Session) -> None:
    bare = remapping(session, "bare")
    assert remapping(session, "translation", adaptive=False) == bare
    trapping = session.traps.causes[Cause.TRACE]
    assert remapping(session, "translation") == bare
    assert trapping > 500
    assert session.traps.causes[Cause.TRACE] < trapping / 20
    assert monitor(session).cache.counters.adapted > 0


CODE_PAGE = GuestPhysical(loops.CODE)
STORES = (
    "8807", "8827", "668907", "8907", "c60780", "c70778563412", "66c7071234", "a300081000", "aa", "66ab", "ab",
    "0007", "6601 07", "0107", "800780", "830780", "8107ffffff7f", "fe07", "ff07", "66ff07", "fe0f", "ff0f", "2807",
    "2907", "832f01", "2007", "2107", "8327f0", "812700ff00ff", "0807", "0907", "830f01", "3007", "3107", "833755",
)  # fmt: skip


@settings(max_examples=10)
@given(st.lists(st.sampled_from(STORES), min_size=3, max_size=10), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_a_store_that_became_a_callout_does_what_the_cpu_does(stores: list[str], value: int, flags: int) -> None:
    """Each runs twenty times on the page that it stands on, so that it traps; its flags go into EBX."""
    code = b"\xbc" + (0x20_0000).to_bytes(4, "little")
    for store in stores:
        code += b"\xb8" + value.to_bytes(4, "little") + b"\xb9\x14\0\0\0"
        code += b"\x68" + (flags & 0x8D5 | 2).to_bytes(4, "little")  # again: push the arithmetic flags, popf
        code += bytes.fromhex("bf00081000 9d") + bytes.fromhex(store) + bytes.fromhex("9c 5a 31d3 05 9d3b1501")
        code += b"\x49\x75" + (-26 - len(bytes.fromhex(store)) & 0xFF).to_bytes(1, "little")
    results = []
    with contextlib.closing(Session(recording=False)) as session:
        for kind in ("bare", "translation"):
            session.load(loops.program(code + b"\xeb\xfe"), kind)
            session.run(4000)
            registers = [(register.name, register.believed) for register in session.registers()]
            assert session.vmm is not None
            results.append((session.executed, registers, session.vmm.physical.read(CODE_PAGE, PAGE_SIZE)))
        counters = monitor(session).cache.counters
    assert results[0] == results[1]
    assert counters.adapted == len(stores)


def test_what_traps_no_more_is_copied_again(session: Session) -> None:
    """The loop writes to a page that holds code, and on to pages that do not."""
    code = bytes.fromhex("bf00081000 b900040000 a9ffffffff aa 49 75f7 bf00002000 b900040000 ebeb".replace(" ", ""))
    results = []
    for kind in ("bare", "translation"):
        session.load(loops.program(code), kind)
        session.run(20_000)
        results.append((session.executed, [register.believed for register in session.registers()], memory(session)))
    assert results[0] == results[1]
    counters = monitor(session).cache.counters
    assert counters.adapted > 0
    assert counters.reverted > 0


def test_switching_adaptation_off_copies_everything_again(session: Session) -> None:
    remapping(session, "translation")
    cache = monitor(session).cache
    assert cache.counters.adapted > cache.counters.reverted
    session.inputs.set_translation(Switch.ADAPTIVE, on=False)
    assert cache.counters.adapted == cache.counters.reverted
    assert not [step for block in cache.blocks for step in block.steps if step.reason is Reason.TRAPS]


def test_switches_outlast_a_reset_and_belong_to_the_journal(session: Session) -> None:
    session.load(load_program("hello"), "translation")
    session.inputs.set_translation(Switch.ADAPTIVE, on=False)
    session.inputs.set_translation(Switch.AHEAD, on=True)
    session.reset()
    assert monitor(session).switches == {Switch.AHEAD}


def test_kinds_that_translate_nothing_refuse_the_switch(session: Session) -> None:
    session.load(load_program("hello"), "trap_emulate")
    with pytest.raises(RequestError, match="nothing is translated"):
        session.inputs.set_translation(Switch.ADAPTIVE, on=False)


NEVER_REACHED = "\n.text\nprobe: xor eax, eax\n jnz never\n jmp probe\n .balign 4096\nnever: inc eax\n jmp never\n"


def test_translating_ahead_leaves_no_trace_in_the_guests_page_tables(session: Session) -> None:
    """A page whose code is never fetched is not marked as accessed."""
    source = Path(loops.__file__).with_name("departures.s").read_text(encoding="utf-8")
    session.load(assemble(f".set LOOP, probe\n{source}{NEVER_REACHED}", "probe.s"), "translation")
    session.run(8000)
    before = memory(session)
    session.inputs.set_translation(Switch.AHEAD, on=True)
    assert memory(session) == before


def test_switches_are_part_of_the_past() -> None:
    with contextlib.closing(Session(history=Recording(instructions=2000, departures=50))) as session:
        session.load(loop_guest("remap"), "translation")
        session.run(3000)
        session.inputs.set_translation(Switch.ADAPTIVE, on=False)
        session.inputs.set_translation(Switch.AHEAD, on=True)
        session.run(3000)
        then = session.vmm.seen_cache() if session.vmm else None
        session.travel.go_to(1500)
        assert monitor(session).switches == {Switch.ADAPTIVE}
        session.travel.go_to(6000)
        assert monitor(session).switches == {Switch.AHEAD}
        assert monitor(session).seen_cache() == then


@pytest.mark.parametrize(
    ("guest", "most", "stride"), [("privileged", 77_000, 7_001), ("rings", 40_000, 97), ("pebble", 1_200_000, 90_001)]
)
def test_what_ran_how_is_counted_to_the_instruction(guest: str, most: int, stride: int) -> None:
    """What blocks and their runs come to is what the CPU's own count of rings says, wherever the guest is stopped."""
    session = Session()
    session.load(load_program(guest), "translation")
    while session.end is None and session.executed < most:
        session.run(stride)
        vmm = session.vmm
        assert isinstance(vmm, Translation)
        ran = vmm.ran
        assert ran is not None
        assert ran.total == session.executed
        assert sum(vmm.ran_translated.values()) == ran.total - ran.direct
    assert (ran.direct > 0) == (guest != "privileged")
    assert ran.callouts > 0
    session.close()


def test_what_ran_is_counted_over_the_death_of_blocks_and_of_the_cache() -> None:
    session = Session()
    session.load(load_program("privileged"), "translation")
    session.run(30_000)
    vmm = session.vmm
    assert isinstance(vmm, Translation)
    before = vmm.ran
    vmm.cache.flush()
    assert vmm.ran == before
    session.run(20_000)
    assert vmm.ran is not None
    assert vmm.ran.total == session.executed
    session.close()


def test_a_vm_that_is_reset_again_and_again_leaves_no_hooks_behind(session: Session) -> None:
    session.load(load_program("hello"), "translation", memory=4 * MIB)
    session.vms.add(load_program("hello"), "translation", memory=4 * MIB)
    cpu = monitor(session).cpu
    hooks = cpu.hook_count
    for _ in range(3):
        session.run(300)
        session.reset()
    assert cpu.hook_count == hooks


def test_what_ran_how_is_the_same_again_after_going_back() -> None:
    session = Session(history=Recording())
    session.load(load_program("rings"), "translation")
    session.run(9_000)
    vmm = session.vmm
    assert isinstance(vmm, Translation)
    then = vmm.ran
    session.run(20_000)
    session.travel.go_to(9_000)
    vmm = session.vmm
    assert isinstance(vmm, Translation)
    assert vmm.ran == then
    session.close()


def test_the_code_map_is_what_it_was_at_each_moment() -> None:
    """It is not kept in checkpoints, but made anew from the blocks; the cache is emptied meanwhile."""
    with contextlib.closing(Session(history=Recording(instructions=20_000, departures=100))) as session:
        session.load(load_program("pebble"), "translation", command_line="run=nothing")
        monitor(session).cache.region.size = 12_288
        session.run(100_000)  # past a checkpoint
        maps = {}
        for moment in (300_000, 450_000, 510_000):
            session.run(moment - session.executed)
            maps[moment] = monitor(session).cache.entries.copy()
        assert monitor(session).cache.counters.flushes > 0
        for moment in (450_000, 510_000, 300_000):
            session.travel.go_to(moment)
            assert (monitor(session).cache.entries == maps[moment]).all()
