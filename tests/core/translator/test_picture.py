"""What onlookers get to see of a translation cache is what is in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.guests.catalog import load_program
from core.session import Session
from core.translations import Fate, Part, Reason, SeenBlock, SeenCache
from tests.bench import loops


@pytest.fixture
def session() -> Iterator[Session]:
    lab = Session(recording=False)
    yield lab
    lab.close()


def seen(session: Session) -> tuple[SeenCache, list[SeenBlock]]:
    assert session.vmm is not None
    cache = session.vmm.seen_cache()
    assert cache is not None
    blocks = [session.vmm.seen_block(each.ordinal) for each in cache.blocks if each.alive]
    return cache, [block for block in blocks if block is not None]


def test_blocks_lie_in_the_order_of_their_birth_and_within_what_is_used(session: Session) -> None:
    session.load(load_program("pebble"), "translation", command_line="run=hello")
    session.run(2_000_000)
    cache, blocks = seen(session)
    assert [each.ordinal for each in cache.blocks] == sorted(each.ordinal for each in cache.blocks)
    ends = [each.start + each.size for each in cache.blocks]
    assert all(end <= after.start for end, after in zip(ends, cache.blocks[1:], strict=False))
    assert cache.base < cache.blocks[0].start
    assert ends[-1] <= cache.base + cache.used
    assert len(blocks) == sum(each.alive for each in cache.blocks) > 100


def test_a_block_counts_how_often_it_was_run_from_its_start(session: Session) -> None:
    session.load(loops.program(bytes.fromhex("b9e8030000 49 75fd ebfe")), "translation")  # a loop of a thousand rounds
    session.run(2500)
    cache, _ = seen(session)
    assert 999 in [each.entered for each in cache.blocks]  # the first round ran into it from the block before


def test_original_and_translation_stand_side_by_side_with_reasons(session: Session) -> None:
    session.load(loops.program(bytes.fromhex("bc00802000 fa 90 0f01e0 f4 ebfe")), "translation")
    session.run(4)
    _, blocks = seen(session)
    block = blocks[0]
    assert [each.text.split()[0] for each in block.guest] == ["mov", "cli", "nop", "smsw", "hlt", "jmp"]
    assert [each.fate for each in block.guest] == [
        Fate.COPIED, Fate.IN_LINE, Fate.COPIED, Fate.IN_LINE, Fate.CALLOUT, Fate.BRANCH,
    ]  # fmt: skip
    assert [each.reason for each in block.guest] == [
        Reason.HARMLESS, Reason.VIRTUAL_IF, Reason.HARMLESS, Reason.CONTROL, Reason.PRIVILEGED, Reason.JUMP,
    ]  # fmt: skip
    for number, guest in enumerate(block.guest):
        became = [each for each in block.translated if each.guest == number]
        assert sum(len(each.code) for each in became) == guest.size
        assert became[0].at == guest.at
        if guest.fate is Fate.COPIED:
            assert [each.code for each in became] == [guest.code]
    assert [each.calls != "" for each in block.translated if each.guest == 4] == [True]


def test_every_byte_of_every_block_is_shown_once_and_stubs_belong_to_no_instruction(session: Session) -> None:
    session.load(load_program("pebble"), "translation", command_line="run=hello")
    session.run(300_000)
    for block in seen(session)[1]:
        assert sum(len(each.code) for each in block.translated) == block.block.size
        assert sum(len(each.code) for each in block.guest) == block.block.length
        stubs = [each for each in block.translated if each.part is Part.STUB]
        assert len(stubs) == len(block.exits)
        assert all(each.guest is None and each.calls for each in stubs)
        slow = [each for each in block.translated if each.part is Part.SLOW]
        assert all(each.guest is not None for each in slow)


def test_chains_name_both_of_their_ends(session: Session) -> None:
    session.load(load_program("pebble"), "translation", command_line="run=hello")
    session.run(300_000)
    cache, blocks = seen(session)
    by_ordinal = {block.block.ordinal: block for block in blocks}
    assert len(cache.chains) > 50
    for chain in cache.chains:
        ends = {each.site: each.chained_to for each in by_ordinal[chain.source].exits}
        assert ends[chain.site] == chain.target
        assert chain.source in by_ordinal[chain.target].chained_from
    unchained = [each for block in blocks for each in block.exits if each.chained_to is None]
    assert unchained
    assert sum(len(block.exits) for block in blocks) == len(cache.chains) + len(unchained)


def test_the_block_in_which_the_guest_stands_is_shown(session: Session) -> None:
    session.load(loops.program(bytes.fromhex("bc00802000 90 90 90 ebfb")), "translation")
    session.run(3)
    assert session.vmm is not None
    block = session.vmm.seen_block(None)
    assert block is not None
    assert session.pc in [each.pc for each in block.guest]


def test_kinds_without_a_cache_show_none(session: Session) -> None:
    session.load(load_program("hello"), "trap_emulate")
    assert session.vmm is not None
    assert session.vmm.seen_cache() is None
    assert session.vmm.seen_block(None) is None
