"""The views of a translation cache: what they show is what the translator did to a real guest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.models.block_model import BlockModel, Reveal
from app.models.block_rows import OUT, Link, rows_of
from app.models.cache_counters import ROWS, CacheCountersModel
from app.models.translator_stages import Stage, told
from app.theme import make_theme
from app.views import cache_view, translation_view
from app.views.cache_view import CacheView
from app.views.translation_view import TranslationView
from app.widgets import stage_bar
from app.widgets.cache_map import CacheMap, Shade
from app.widgets.stage_bar import StageBar
from core.guests.catalog import load_program
from core.looks import Follow, Look
from core.session import Session
from core.snapshot import Snapshot
from core.translations import Fate, SeenBlock, SeenCache, Switch, percent
from tests.app.builders import loaded

PROGRAM = load_program("privileged")


@pytest.fixture(scope="module")
def lab() -> Iterator[Session]:
    session = Session()
    session.load(PROGRAM, "translation")
    session.look = Look(cache=True, block=Follow.EIP)
    session.run()
    yield session
    session.close()


def cache_of(lab: Session) -> SeenCache:
    found = lab.vmm.seen_cache()
    assert found is not None
    return found


def block_with(lab: Session, fate: Fate) -> SeenBlock:
    """The first block in which an instruction became that."""
    for each in cache_of(lab).living:
        seen = lab.vmm.seen_block(each.ordinal)
        if seen is not None and any(one.fate is fate for one in seen.guest):
            return seen
    raise AssertionError(fate)


def snapshot(lab: Session, look: Look) -> Snapshot:
    lab.look = look
    return lab.snapshot()


# -- rows


def test_every_byte_of_both_sides_is_in_one_row_and_links_say_how_many_it_became(lab: Session) -> None:
    for each in cache_of(lab).living:
        seen = lab.vmm.seen_block(each.ordinal)
        assert seen is not None
        rows = rows_of(seen, cache_of(lab), PROGRAM.name_of)
        assert [row.first for row in rows if row.first is not None] == list(seen.guest)
        assert sorted(row.became.at for row in rows if row.became is not None) == [one.at for one in seen.translated]
        for guest in seen.guest:
            links = [row.link for row in rows if row.of is guest]
            whole = [Link.FIRST, *[Link.MIDDLE] * (len(links) - 2), Link.LAST]
            assert links == ([Link.ONLY] if len(links) == 1 else whole)


def test_jumps_and_variables_are_called_by_names_and_ways_out_stand_apart(lab: Session) -> None:
    seen = lab.vmm.seen_block(cache_of(lab).holding(PROGRAM.symbols["cli_loop"])[0].ordinal)
    rows = rows_of(seen, cache_of(lab), PROGRAM.name_of)
    assert [row.text for row in rows if row.first and row.first.text == "cli"] == ["mov dword [virtual IF], 0"]
    heading = next(n for n, row in enumerate(rows) if row.heading)
    assert rows[heading].heading == OUT
    assert all(row.of is None and "calls the monitor" in row.note for row in rows[heading + 1 :] if "int" in row.text)
    chained = [way.chained_to for each in cache_of(lab).living for way in lab.vmm.seen_block(each.ordinal).exits]
    texts = [
        row.text
        for each in cache_of(lab).living
        for row in rows_of(lab.vmm.seen_block(each.ordinal), cache_of(lab), PROGRAM.name_of)
    ]
    assert sum(" block " in text for text in texts) == sum(each is not None for each in chained) > 10
    assert sum(text.endswith("its stub") for text in texts) == sum(each is None for each in chained)


def test_the_models_are_good_models(qtmodeltester: ModelTester, lab: Session) -> None:
    blocks = BlockModel()
    blocks.show(block_with(lab, Fate.IN_LINE), cache_of(lab), PROGRAM.name_of, None)
    qtmodeltester.check(blocks)
    counters = CacheCountersModel()
    counters.show(cache_of(lab))
    qtmodeltester.check(counters)
    made = [name for name, _words, _tip in ROWS].index("units")
    assert counters.index(made, 1).data() == str(cache_of(lab).counters.units)
    assert all(counters.index(n, 0).data(Qt.ItemDataRole.ToolTipRole) for n in range(len(ROWS)))


def test_nothing_is_shown_before_its_stage(lab: Session) -> None:
    model = BlockModel()
    model.show(block_with(lab, Fate.IN_LINE), cache_of(lab), PROGRAM.name_of, None)

    def shown() -> list[list[str]]:
        rows = range(model.rowCount())
        return [[model.index(row, column).data() for row in rows if not model.rows[row].heading] for column in range(6)]

    model.set_reveal(Reveal.BYTES)
    assert not any(any(cells) for cells in shown()[2:])
    guest = model.seen.guest
    assert bytes.fromhex(" ".join(shown()[1])) == b"".join(each.code for each in guest)
    assert shown()[1][0] == b"".join(each.code for each in guest)[:8].hex(" ")  # nobody knows yet where one begins
    model.set_reveal(Reveal.INSTRUCTIONS)
    assert shown()[1][0] == model.rows[0].first.text
    assert not any(any(cells) for cells in shown()[2:])
    model.set_reveal(Reveal.FATES)
    assert any(shown()[2])
    assert not any(shown()[3])
    model.set_reveal(Reveal.ALL)
    assert all(shown()[3])


# -- stages


def test_stages_tell_what_the_translator_reported() -> None:
    session = Session()
    session.load(PROGRAM, "translation")
    session.run_to_new_code()
    session.run_to_new_code()
    cache = cache_of(session)
    work, seen = cache.newest, session.vmm.seen_block(None)
    assert work is not None
    assert seen is not None
    assert (work.ordinal, work.pc) == (seen.block.ordinal, session.pc) == (seen.block.ordinal, seen.block.pc)
    words = {stage: told(stage, work, seen, PROGRAM.name_of) for stage in Stage}
    assert f"{work.pc:#010x}" in words[Stage.FETCH]
    assert f"{work.physical:#010x}" in words[Stage.FETCH]
    assert f"{len(seen.guest)} instruction" in words[Stage.DECODE]
    assert work.end.value in words[Stage.DECODE]
    for fate, name in ((Fate.COPIED, "identical"), (Fate.BRANCH, "rewritten"), (Fate.IN_LINE, "replaced")):
        count = sum(each.fate is fate for each in seen.guest)
        assert (f"{count} {name}" in words[Stage.DECIDE]) == (count > 0)
    assert f"became {seen.block.size}" in words[Stage.EMIT]
    assert f"{seen.block.entry:#010x}" in words[Stage.RUN]
    session.close()


# -- the translation view


@pytest.fixture
def view(qtbot: QtBot, lab: Session) -> TranslationView:
    made = TranslationView(make_theme("dark"))
    qtbot.addWidget(made)
    made.resize(640, 360)
    made.show()
    made.show_program(loaded(kind="translation"))
    return made


def test_a_block_that_was_chosen_is_looked_at_and_shown_with_its_reason(
    view: TranslationView, lab: Session, qtbot: QtBot
) -> None:
    seen = block_with(lab, Fate.IN_LINE)
    view.show_snapshot(snapshot(lab, Look(cache=True)))
    with qtbot.waitSignal(view.lookChanged):
        view.chooser.chosen.emit(seen.block.ordinal)
    assert view.look == Look(cache=True, block=seen.block.ordinal)
    view.show_snapshot(snapshot(lab, view.look))
    assert not view.is_empty
    assert view.model.seen == seen
    changed = next(each for each in seen.guest if each.fate is Fate.IN_LINE)
    row = view.model.row_at(changed.pc)
    view.table.selectRow(row)
    assert view.why.text().startswith(f"{changed.text}: replaced.")
    assert changed.reason.phrase[1:] in view.why.text()
    assert view.model.index(row, 0).data(Qt.ItemDataRole.ToolTipRole) == view.why.text()


def test_without_a_choice_it_follows_eip(view: TranslationView, lab: Session) -> None:
    assert view.look == Look(cache=True, block=Follow.EIP)
    view.show_address(block_with(lab, Fate.COPIED).block.pc)
    assert view.look.block is Follow.EIP  # nothing has been seen of the cache yet
    view.show_snapshot(snapshot(lab, Look(cache=True)))
    view.show_address(block_with(lab, Fate.COPIED).block.pc)
    assert view.look.block == block_with(lab, Fate.COPIED).block.ordinal
    view.follow.click()
    assert view.look.block is Follow.EIP


def test_the_list_holds_all_that_lives_and_arrows_walk_along_it(view: TranslationView, lab: Session) -> None:
    living = [each.ordinal for each in cache_of(lab).living]
    view.show_address(0)
    view.chooser.chosen.emit(living[3])
    view.show_snapshot(snapshot(lab, view.look))
    view.chooser.fill()
    assert [view.chooser.itemData(n) for n in range(view.chooser.count())] == living
    view.after.click()
    assert view.look.block == living[4]


def test_other_kinds_say_where_to_find_a_cache(view: TranslationView) -> None:
    session = Session()
    session.load(load_program("hello"), "bare")
    view.show_snapshot(snapshot(session, view.look))
    assert view.is_empty
    assert view.empty_words == translation_view.NO_CACHE
    session.close()


def test_slow_motion_asks_for_a_unit_and_goes_through_its_stages(qtbot: QtBot) -> None:
    session = Session()
    session.load(PROGRAM, "translation")
    view = TranslationView(make_theme("dark", reduced_motion=True))
    qtbot.addWidget(view)
    view.show()
    view.show_program(loaded(kind="translation"))
    view.show_snapshot(snapshot(session, view.look))
    view.nextUnitWanted.connect(session.run_to_new_code)
    with qtbot.waitSignal(view.nextUnitWanted):
        view.slow.click()
    for _ in range(2):
        view.show_snapshot(snapshot(session, view.look))  # the first brings the unit's number, the next the unit
    assert view.stages.stage is Stage.FETCH
    assert view.model.seen.block.pc == session.pc
    assert view.model.reveal is Reveal.BYTES
    said = []
    for _ in Stage:
        said.append(view.stages.words.text())
        view.stages.forth.click()
    assert len(set(said)) == len(Stage)
    assert view.model.reveal is Reveal.ALL
    for _ in range(2):
        view.show_snapshot(snapshot(session, view.look))
    assert view.stages.stage is Stage.FETCH  # after the last stage came the next unit
    assert view.model.seen.block.ordinal == 1
    view.slow.click()
    assert view.look.block is Follow.EIP
    assert view.model.reveal is Reveal.ALL
    session.close()


def test_slow_motion_begins_with_the_unit_that_comes_not_with_the_last_and_ends_with_the_guest(qtbot: QtBot) -> None:
    session = Session()
    session.load(load_program("hello"), "translation")
    session.run(50)
    view = TranslationView(make_theme("dark", reduced_motion=True))
    qtbot.addWidget(view)
    view.show()
    view.show_program(loaded(kind="translation"))
    view.show_snapshot(snapshot(session, view.look))
    before = cache_of(session).newest
    view.slow.click()
    view.show_snapshot(snapshot(session, view.look))
    assert view.look.block is Follow.EIP  # nothing new yet
    session.run_to_new_code()
    for _ in range(2):
        view.show_snapshot(snapshot(session, view.look))
    assert view.look.block == cache_of(session).newest.ordinal != before.ordinal
    assert view.stages.stage is Stage.FETCH
    view.stages.next_unit.click()
    session.run()
    view.show_snapshot(snapshot(session, view.look))
    view.stages.next_unit.click()
    view.show_snapshot(snapshot(session, view.look))
    assert "Nothing more is translated" in view.stages.words.text()
    session.close()


def test_stages_play_by_themselves_and_appear_gradually_unless_motion_is_reduced(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_bar, "DWELL_MS", 5)
    for reduced in (False, True):
        bar = StageBar(make_theme("dark", reduced_motion=reduced))
        qtbot.addWidget(bar)
        bar.show()
        shown: list[float] = []
        bar.appearing.connect(shown.append)
        bar.go(Stage.DECODE)
        qtbot.waitUntil(lambda shown=shown: shown[-1:] == [1.0])
        assert (len(shown) > 1) == (not reduced)
        with qtbot.waitSignal(bar.nextWanted):
            bar.play.click()
        assert bar.stage is Stage.RUN
        assert bar.playing
        bar.rest()
        assert not bar.playing


# -- the cache view


@pytest.fixture
def cache(qtbot: QtBot, lab: Session) -> CacheView:
    made = CacheView(make_theme("light"))
    qtbot.addWidget(made)
    made.resize(720, 240)
    made.show()
    made.show_program(loaded(kind="translation"))
    made.show_snapshot(snapshot(lab, made.look))
    return made


def test_each_block_is_found_where_it_is_painted(cache: CacheView, lab: Session) -> None:
    for block in cache_of(lab).blocks:
        for rect in cache.map.rects_of(block.start, block.size):
            if rect.width() >= 2:
                found = cache.map.block_at(rect.center())
                assert found is not None
                assert found.ordinal == block.ordinal


def test_a_click_chooses_a_block_and_words_tell_of_it(cache: CacheView, lab: Session, qtbot: QtBot) -> None:
    block = max(cache_of(lab).living, key=lambda each: each.entered)
    at = cache.map.rects_of(block.start, block.size)[0].center().toPoint()
    with qtbot.waitSignal(cache.blockChosen) as told_:
        qtbot.mouseClick(cache.map, Qt.MouseButton.LeftButton, pos=QPoint(at))
    assert told_.args == [block.ordinal]
    assert f"Block {block.ordinal}" in cache.words.text()
    chained = next((chain for chain in cache_of(lab).chains if chain.source == block.ordinal), None)
    assert (chained is not None) == ("chained to" in cache.words.text())


def test_keys_walk_through_the_blocks(cache: CacheView, lab: Session, qtbot: QtBot) -> None:
    living = cache_of(lab).living
    for key, expected in ((Qt.Key.Key_Home, 0), (Qt.Key.Key_Right, 1), (Qt.Key.Key_Right, 2), (Qt.Key.Key_End, -1)):
        qtbot.keyClick(cache.map, key)
        assert cache.map.selected == living[expected].ordinal


def test_brightness_says_heat_or_age(cache: CacheView, lab: Session) -> None:
    living = cache_of(lab).living
    hot = max(living, key=lambda each: each.entered)

    def brightness(widget: CacheMap, ordinal: int) -> float:
        block = next(each for each in living if each.ordinal == ordinal)
        at = widget.rects_of(block.start, block.size)[0].center().toPoint()
        return 1 - widget.grab().toImage().pixelColor(at).lightnessF()  # dark is bright on a light ground

    assert brightness(cache.map, hot.ordinal) > brightness(cache.map, living[0].ordinal)
    cache.shades[Shade.AGE].click()
    assert brightness(cache.map, living[-1].ordinal) > brightness(cache.map, living[0].ordinal)


def test_shares_of_what_ran_are_measured_and_switches_say_what_the_person_wants(
    cache: CacheView, lab: Session, qtbot: QtBot
) -> None:
    ran = cache_of(lab).ran
    assert ran is not None
    assert ran.total == lab.executed
    assert f"identical {percent(ran.identical / ran.total)}" in cache.efficiency.words
    assert "direct 0%" in cache.efficiency.words  # this guest is all kernel
    box = cache.switches[Switch.ADAPTIVE]
    assert box.isChecked()
    with qtbot.waitSignal(cache.switched) as wished:
        box.click()
    assert wished.args == [Switch.ADAPTIVE, False]


def test_other_kinds_have_no_cache(cache: CacheView) -> None:
    session = Session()
    session.load(load_program("hello"), "trap_emulate")
    cache.show_snapshot(snapshot(session, cache.look))
    assert cache.is_empty
    assert cache.empty_words == cache_view.NO_CACHE
    session.close()
