"""Who owns which frame: nobody gets another's, and nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.addresses import PAGE_SIZE, HostPhysical
from core.errors import RequestError
from core.guests.catalog import load_program
from core.memory.frames import FREE, FrameAllocator
from core.session import Session

FRAMES = 64
_actions = st.lists(
    st.one_of(
        st.tuples(st.just("allocate"), st.sampled_from("abc"), st.integers(1, 20)),
        st.tuples(st.just("release"), st.sampled_from("abc"), st.just(0)),
        st.tuples(st.just("release some"), st.sampled_from("abc"), st.integers(0, 10)),
    ),
    max_size=30,
)


@given(_actions)
def test_a_frame_has_one_owner_and_free_ones_are_counted(actions: list[tuple[str, str, int]]) -> None:
    allocator = FrameAllocator(FRAMES * PAGE_SIZE)
    held: dict[str, set[HostPhysical]] = {owner: set() for owner in "abc"}
    for action, owner, count in actions:
        if action == "allocate":
            free = FRAMES - sum(map(len, held.values()))
            if count > free:
                with pytest.raises(RequestError, match="are free"):
                    allocator.allocate(count * PAGE_SIZE, owner)
                continue
            got = set(allocator.allocate(count * PAGE_SIZE, owner))
            assert len(got) == count
            assert not any(got & frames for frames in held.values())
            held[owner] |= got
        elif action == "release":
            allocator.release(owner)
            held[owner].clear()
        else:
            gone = sorted(held[owner])[:count]
            allocator.release_frames(gone)
            held[owner] -= set(gone)
    for owner, frames in held.items():
        assert all(allocator.owner(frame) == owner for frame in frames)
    assert allocator.free_bytes() == allocator.owners().count(FREE) * PAGE_SIZE


def test_the_lowest_free_frames_come_first() -> None:
    allocator = FrameAllocator(FRAMES * PAGE_SIZE)
    allocator.claim(HostPhysical(0), 2 * PAGE_SIZE, "host")
    assert allocator.allocate(1, "a") == [2 * PAGE_SIZE]


def test_a_frame_cannot_be_claimed_twice_or_freed_twice() -> None:
    allocator = FrameAllocator(FRAMES * PAGE_SIZE)
    allocator.claim(HostPhysical(0), PAGE_SIZE, "host")
    with pytest.raises(ValueError, match="host"):
        allocator.claim(HostPhysical(0), PAGE_SIZE, "a")
    allocator.release("host")
    with pytest.raises(ValueError, match="free already"):
        allocator.release_frames([HostPhysical(0)])


@pytest.mark.parametrize("command_line", ["run=forks 4", "run=bench"])
def test_the_monitor_takes_less_than_2_mib_beyond_the_guests_memory(command_line: str) -> None:
    session = Session(recording=False)
    session.load(load_program("pebble-clean"), "trap_emulate", command_line=command_line)
    session.run()
    owners = session.machine.frames.owners()
    assert owners.count("monitor of A") * PAGE_SIZE < 2 << 20
