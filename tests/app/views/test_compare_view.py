"""The Compare view: bars, counts, instructions and prices of guests that were really measured; what it saves."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.models.comparison import Comparison
from app.models.cost_book import CostBook
from app.models.cost_table_model import CYCLES, SOURCE, CostTableModel
from app.models.instruction_tree_model import InstructionTreeModel
from app.models.properties import Property
from app.theme import make_theme
from app.views.compare_view import CompareView
from app.widgets.compare.cycle_bars import part_color
from app.widgets.compare.export import Form
from app.widgets.compare.gauge_button import GaugeButton
from core.compare import Setting
from core.cost_table import load_costs
from core.costs import Known, Part, Work
from core.events import Cause
from core.guests.catalog import load_program
from core.measured import Measured, measure
from core.nanobenchmarks import NAMES, ROUNDS, Nanobenchmark, Nanobenchmarks
from core.taking_back import TakenBack

PENTIUM, BRIDGE = load_costs()


@cache
def measured(guest: str, kind: str) -> Measured:
    return measure(Setting(load_program(guest), "run=hello" if guest == "pebble" else "", 20_000_000), kind)


@pytest.fixture
def view(qtbot: QtBot) -> CompareView:
    made = CompareView(make_theme("dark"))
    qtbot.addWidget(made)
    made.resize(1200, 500)
    made.show()
    return made


def show(view: CompareView, guest: str = "hole", kinds: tuple[str, ...] = ("bare", "trap_emulate", "hardware")) -> None:
    view.begin(guest, "")
    for kind in kinds:
        view.add(measured(guest, kind))
    view.finish("done")


def test_bars_are_the_modelled_cycles_of_what_was_counted(view: CompareView) -> None:
    show(view)
    columns = {column.kind: column for column in view.comparison.columns()}
    account = measured("hole", "hardware").account
    assert dict(columns["hardware"].parts) == account.cycles(PENTIUM)
    assert columns["bare"].ratio == 1
    assert columns["hardware"].total == sum(account.cycles(PENTIUM).values())


def test_a_difference_is_told_with_its_place_in_red(view: CompareView) -> None:
    show(view)
    columns = {column.kind: column for column in view.comparison.columns()}
    assert columns["trap_emulate"].differs
    assert columns["trap_emulate"].verdict.startswith("differs at pushf, 0010")
    assert not columns["hardware"].differs
    assert red(view.cycles.bars.grab().toImage())
    assert "Trap-and-emulate" in view.result_words()


def red(picture: QImage) -> bool:
    """Is anything red below the bars? Edges of letters are blended, so the colour need not be pure."""
    for y in range(picture.height() * 2 // 3, picture.height()):
        for x in range(picture.width()):
            color = picture.pixelColor(x, y)
            if color.red() - max(color.green(), color.blue()) > 60:
                return True
    return False


def test_without_a_difference_there_is_no_red(view: CompareView) -> None:
    show(view, "hello", ("bare", "hardware"))
    assert not red(view.cycles.bars.grab().toImage())


def test_the_pointer_asks_a_bar_what_it_is(view: CompareView) -> None:
    show(view)
    bars = view.cycles.bars
    picture, wanted = bars.grab().toImage(), part_color(view.theme, Part.IO).name()
    places = ((x, y) for y in range(40, picture.height()) for x in range(picture.width()))
    x, y = next((x, y) for x, y in places if picture.pixelColor(x, y).name() == wanted)
    words = {bars.words_at(QPointF(x + 3, y + dy)) for dy in range(0, 40, 4)}
    assert any("Devices: " in each and "modelled cycles" in each for each in words | {bars.words_at(QPointF(x, y))})


def test_the_columns_of_bars_and_counts_stand_over_each_other(view: CompareView) -> None:
    show(view)
    page = view.cycles
    for width in (1200, 640):
        view.resize(width, 500)
        view.grab()
        header = page.counts.horizontalHeader()
        assert header.sectionSize(0) == page.bars.gutter
        assert header.length() <= page.counts.viewport().width()


def test_counts_say_whether_they_are_measured_or_modelled(view: CompareView) -> None:
    show(view)
    model = view.cycles.model
    rows = {row.name: row for row in model.rows}
    assert rows["Instructions"].origin == "measured"
    assert rows["Instructions"].values["hardware"] == measured("hole", "hardware").account.instructions
    assert rows["Cycles"].origin == "modelled"
    names = [model.index(row, 0).data() for row in range(model.rowCount())]
    assert "Cycles (modelled)" in names
    assert "Instructions (measured)" in names
    assert "modelled" in model.index(names.index("Cycles (modelled)"), 0).data(Qt.ItemDataRole.ToolTipRole).lower()
    for row in rows.values():
        assert row.origin == "modelled" or all(isinstance(value, int) for value in row.values.values())


def test_instructions_are_aligned_over_the_kinds(view: CompareView) -> None:
    show(view)
    functions = view.comparison.instruction_rows()
    rows = [row for function in functions for row in function.children]
    port = next(row for row in rows if row.name.startswith("out"))
    assert set(port.counts) == {"bare", "trap_emulate", "hardware"}
    assert port.cycles["hardware"] > port.cycles["bare"] > 0
    assert "#VMEXIT (I/O)" in " ".join(port.words["hardware"])
    total = sum(row.cycles.get("hardware", 0) for row in rows)
    account = measured("hole", "hardware").account
    assert total + account.instructions == sum(account.cycles(PENTIUM).values())


def test_two_builds_of_one_source_meet_in_their_functions(view: CompareView) -> None:
    show(view, "pebble", ("bare", "paravirt"))
    functions = {row.name: row for row in view.comparison.instruction_rows()}
    both = [row for row in functions.values() if {"bare", "paravirt"} <= set(row.counts)]
    assert both
    assert {child.guest for row in both for child in row.children} == {"pebble", "pebble-pv"}
    assert view.comparison.columns()[1].verdict == "pebble-pv: same output as bare"


def test_an_instruction_leads_to_where_it_stands(view: CompareView, qtbot: QtBot) -> None:
    show(view)
    page = view.instructions
    page.tree.expandAll()
    function = next(row for row, each in enumerate(page.model.functions) if each.children)
    index = page.model.index(0, page.model.kinds.index("hardware") + 1, page.model.index(function, 0))
    with qtbot.waitSignal(view.startWanted) as wanted:
        page.tree.activated.emit(index)
    row = page.model.functions[function].children[0]
    assert wanted.args == ["hole", "hardware" if "hardware" in row.counts else next(iter(row.counts)), "", row.pc, None]


def test_the_tree_is_a_proper_model(qtmodeltester: ModelTester) -> None:
    model, comparison = InstructionTreeModel(make_theme("dark").type.mono()), Comparison(PENTIUM)
    for kind in ("bare", "hardware"):
        comparison.add(measured("hole", kind))
    model.show(comparison.instruction_rows(), ("bare", "hardware"))
    qtmodeltester.check(model)


def test_another_processor_prices_the_same_counts(view: CompareView) -> None:
    show(view)
    before = {column.kind: column.total for column in view.comparison.columns()}
    view.generations.setCurrentIndex(1)
    view.generations.activated.emit(1)
    after = {column.kind: column.total for column in view.comparison.columns()}
    assert after["hardware"] == sum(measured("hole", "hardware").account.cycles(BRIDGE).values()) != before["hardware"]


def test_a_price_of_ones_own_is_kept_apart_undone_and_reset(qtbot: QtBot) -> None:
    book = CostBook((PENTIUM, BRIDGE))
    model = CostTableModel(book, make_theme("dark").type.mono())
    cell = model.index(list(Work).index(Work.EXIT), CYCLES)
    assert model.setData(cell, "1 000")
    assert book.chosen.prices[Work.EXIT].cycles == 1000
    assert book.chosen.prices[Work.EXIT].known is Known.OWN
    assert PENTIUM.prices[Work.EXIT].cycles == book.shipped(Work.EXIT).cycles == 4340
    assert "(edited)" in book.chosen.title
    assert not model.setData(cell, "many")
    book.edit(Work.PORT, 7)
    book.reset()
    assert not book.is_edited()
    book.undo_stack.undo()
    assert book.price(Work.PORT).cycles == 7
    book.undo_stack.undo()
    assert (book.price(Work.PORT).cycles, book.price(Work.EXIT).cycles) == (3209, 1000)
    other = CostBook((PENTIUM, BRIDGE))
    other.restore(book.to_text())
    assert other.price(Work.EXIT).cycles == 1000
    other.restore("{nonsense")
    assert other.price(Work.EXIT).cycles == 1000


def test_an_edit_shows_at_once_in_the_bars(view: CompareView) -> None:
    show(view)
    before = view.comparison.columns()[2].total
    view.book.edit(Work.EXIT, 0)
    assert view.comparison.columns()[2].total < before
    assert view.costs.undo.isEnabled()
    view.costs.undo.click()
    assert view.comparison.columns()[2].total == before


def test_every_price_has_its_source(qtmodeltester: ModelTester) -> None:
    model = CostTableModel(CostBook((PENTIUM, BRIDGE)), make_theme("dark").type.mono())
    assert all(model.index(row, SOURCE).data() for row in range(model.rowCount()))
    qtmodeltester.check(model)


def test_pages_are_saved_as_picture_drawing_and_table(view: CompareView, tmp_path: Path) -> None:
    show(view)
    for form in Form:
        view.save_as(form, tmp_path / f"page{form.value}")
    picture = QImage(str(tmp_path / "page.png"))
    assert picture.width() > 1000
    drawing = (tmp_path / "page.svg").read_text("utf-8")
    assert "Trap-and-emulate" in drawing
    assert "Modelled cycles" in drawing
    rows = list(csv.reader((tmp_path / "page.csv").read_text("utf-8").splitlines()))
    assert rows[0] == ["count", "origin", "bare", "trap_emulate", "hardware"]
    assert rows[1][:2] == ["Instructions", "measured"]
    view.point_at("instructions")
    view.save_as(Form.CSV, tmp_path / "instructions.csv")
    rows = list(csv.reader((tmp_path / "instructions.csv").read_text("utf-8").splitlines()))
    assert len(rows) == 1 + sum(len(function.children) for function in view.comparison.instruction_rows())


def test_what_cannot_be_saved_is_told(view: CompareView, tmp_path: Path) -> None:
    show(view)
    view.save_as(Form.CSV, tmp_path / "nowhere" / "page.csv")
    assert "cannot be written" in view.status.text()
    view.point_at("instructions")
    view.save_as(Form.PNG, tmp_path / "page.png")
    assert "Save it as CSV" in view.status.text()


def test_the_figure_of_2006_is_drawn_from_what_was_run(view: CompareView) -> None:
    page = view.figure
    view.point_at("figure")
    assert not view.export.isEnabled()
    page.add(nanobenchmarks("bare", 10, 0))
    page.add(nanobenchmarks("translation", 10, 2))
    page.add(nanobenchmarks("hardware_shadow", 10, 5))
    view.finish("done")
    bars = {(bar.name, bar.kind): bar for _, group in page.figure.groups() for bar in group}
    exit_price = PENTIUM.prices[Work.EXIT].cycles
    assert bars["in", "hardware_shadow"].cycles == 10 + 5 * exit_price
    assert bars["in", "hardware_shadow"].published == 15826
    assert "measured" in bars["in", "bare"].words
    assert "reported by Adams & Agesen" in bars["in", "bare"].words
    rows = {(row.name, row.origin) for row in page.model.rows}
    assert {("in", "modelled"), ("reported in 2006", "published"), ("departures a round", "measured")} <= rows
    assert view.export.isEnabled()


def test_where_the_orders_disagree_the_page_explains(view: CompareView) -> None:
    page = view.figure
    page.add(nanobenchmarks("bare", 10, 0))
    page.add(nanobenchmarks("translation", 10, 2))
    page.add(nanobenchmarks("hardware_shadow", 10, 1))
    words = page.exceptions.text()
    assert "crwr (native against translation" in words
    assert "CR8" in words
    assert "in (native against translation; translation against hardware)" in words
    assert "callret" not in words.replace("callret (native against hardware", "")
    assert page.exceptions.isVisibleTo(page)


def nanobenchmarks(kind: str, instructions: int, exits: int) -> Nanobenchmarks:
    """Seven alike: so many instructions and exits a round."""
    work = {Work.INSTRUCTION: instructions * ROUNDS, Work.EXIT: exits * ROUNDS}
    left = {Cause.EXIT: exits * ROUNDS}
    each = (Nanobenchmark(name, instructions * ROUNDS, left, left, work) for name in NAMES)
    return Nanobenchmarks(kind, "pebble", tuple(each))


def gauge(view: CompareView, kind: str, wanted: Property) -> GaugeButton:
    return next(each for each in view.properties.buttons if (each.gauge.kind, each.gauge.property) == (kind, wanted))


def test_the_three_properties_are_judged_by_what_was_found(view: CompareView) -> None:
    show(view)
    assert len(view.properties.buttons) == 9
    assert gauge(view, "trap_emulate", Property.EQUIVALENCE).gauge.broken
    assert not gauge(view, "hardware", Property.EQUIVALENCE).gauge.broken
    account = measured("hole", "hardware").account
    assert gauge(view, "hardware", Property.EFFICIENCY).gauge.shares[0] == account.direct / account.instructions
    stopped = sum(account.met_monitor().values())
    assert gauge(view, "hardware", Property.CONTROL).gauge.headline == f"{stopped} stopped"
    assert gauge(view, "bare", Property.CONTROL).gauge.headline == "none"


def test_a_broken_gauge_leads_to_the_place(view: CompareView, qtbot: QtBot) -> None:
    show(view)
    gauge(view, "trap_emulate", Property.EQUIVALENCE).click()
    assert "by pushf at" in view.properties.evidence.text()
    with qtbot.waitSignal(view.startWanted) as wanted:
        view.properties.lead.click()
    assert wanted.args == ["hole", "trap_emulate", "", None, 2]


def test_a_counted_gauge_leads_to_the_instructions(view: CompareView) -> None:
    show(view)
    gauge(view, "hardware", Property.CONTROL).click()
    assert "reached for the machine and met the monitor" in view.properties.evidence.text()
    view.properties.lead.click()
    assert view.page is view.instructions
    assert view.instructions.model.counts
    assert view.instructions.tree.currentIndex().column() == view.instructions.model.kinds.index("hardware") + 1


def test_memory_that_was_taken_back_is_told(view: CompareView) -> None:
    taken = TakenBack(4 << 20, 1000, 7, True)
    view.begin("hole", "")
    view.add(replace(measured("hole", "hardware"), taken_back=taken))
    told = gauge(view, "hardware", Property.CONTROL).gauge
    assert told.detail == "4 MiB taken back, unnoticed"
    assert "touched 7 of these pages later" in told.evidence
    view.add(replace(measured("hole", "hardware"), taken_back=replace(taken, unnoticed=False)))
    assert gauge(view, "hardware", Property.CONTROL).gauge.broken
