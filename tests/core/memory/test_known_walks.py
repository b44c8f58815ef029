"""A walk that is remembered is believed only while it still holds, whatever was changed behind its back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.addresses import PAGE_SHIFT, PAGE_SIZE, GuestPhysical, HostPhysical
from core.memory.guest_physical import ABSENT, GuestPhysicalMemory
from core.memory.ram import Ram
from core.memory.walk import Access, Paging, reach
from tests.core.cpu.rig import OpenBus

PAGES, FRAMES = 8, 16  # of the guest; of the machine
PG, WP, PSE = 0x8000_0001, 0x1_0000, 0x10
DIRECTORIES, TABLES = (1, 2), (3, 4)

_entries = st.builds(
    lambda page, flags: page << PAGE_SHIFT | flags,
    st.sampled_from([*TABLES, 5, 6, PAGES, 0x40_0]),
    st.sampled_from([0x67, 0x67, 0x27, 0x63, 0x65, 0x66, 0xE7, 0]),
)
_words = st.tuples(st.just("word"), st.sampled_from([*DIRECTORIES, *TABLES]), st.sampled_from([0, 1]), _entries)
_moves = st.tuples(st.just("move"), st.sampled_from(range(PAGES)), st.sampled_from(range(PAGES, FRAMES)))
_losses = st.tuples(st.just("lose"), st.sampled_from(range(PAGES)))
_changes = st.one_of(_words, _words, _words, _moves, _losses)
_pagings = st.sampled_from(
    [
        *[Paging(PG | WP, DIRECTORIES[0] << PAGE_SHIFT, PSE)] * 6,  # the same for a while, as guests have it
        Paging(PG, DIRECTORIES[0] << PAGE_SHIFT, PSE),
        Paging(PG | WP, DIRECTORIES[1] << PAGE_SHIFT, PSE),
        Paging(PG | WP, DIRECTORIES[0] << PAGE_SHIFT, 0),
    ]
)


def change(memory: GuestPhysicalMemory, what: tuple) -> None:
    """One of `_changes`, as somebody would make it who tells nobody."""
    if what[0] == "word":
        _, page, index, entry = what
        memory.write_u32(GuestPhysical(page << PAGE_SHIFT | index << 2), entry)
    elif what[0] == "move":
        _, page, frame = what
        memory.frames[page] = HostPhysical(frame << PAGE_SHIFT)
    else:
        memory.kept[what[1]] = bytearray()
        memory.frames[what[1]] = ABSENT


@given(st.lists(st.tuples(_changes, _pagings), min_size=2, max_size=25))
def test_it_reaches_what_a_walk_reaches(steps: list[tuple[tuple, Paging]]) -> None:
    ram = Ram(np.zeros(FRAMES * PAGE_SIZE, np.uint8), np.zeros(FRAMES, np.uint8))
    memory = GuestPhysicalMemory(ram, [HostPhysical(page << PAGE_SHIFT) for page in range(PAGES)], OpenBus())
    for directory in DIRECTORIES:
        for index, table in enumerate(TABLES):
            memory.write_u32(GuestPhysical(directory << PAGE_SHIFT | index << 2), table << PAGE_SHIFT | 0x67)
    for table, page in zip(TABLES, (5, 6), strict=True):
        for index in (0, 1):
            memory.write_u32(GuestPhysical(table << PAGE_SHIFT | index << 2), page << PAGE_SHIFT | 0x67)
    for what, paging in steps:
        change(memory, what)
        for linear in (0x123, 0x1456, 0x40_0789):
            for access in (Access(write, user) for write in (False, True) for user in (False, True)):
                assert memory.reach(paging, linear, access) == reach(memory, paging, linear, access)
