"""The window on an engine that a test speaks for: what it shows, what it keeps, what it does when things go wrong.

It is one file, because all of it needs the same window and the same engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import QByteArray, QPoint, QSettings, Qt
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QPlainTextEdit, QTabBar, QWidget
from pytestqt.qtbot import QtBot

from app.controllers.actions import Act
from app.controllers.catalogue import Catalogue
from app.main_window import MainWindow
from app.theme import Theme
from app.views import (
    View,
    ViewSpec,
    code_view,
    console_view,
    registers_view,
    rings_view,
    traps_view,
    vmcb_view,
    vms_view,
)
from app.views.code_view import CodeView
from app.views.console_view import ConsoleView
from app.views.traps_view import TrapsView
from app.widgets.dialogs import KeyboardDialog, ReportDialog
from app.widgets.diff_dialog import DiffDialog
from app.widgets.fact_table import FactTable
from core.errors import ImageError, LabFault
from core.events import Cause, End, EndHow, StopReason
from core.snapshot import Snapshot
from tests.app.builders import BASE, loaded, snapshot, traps
from tests.app.fake_engine import FakeEngine

SPECS: list[ViewSpec] = [module.VIEW for module in (rings_view, code_view, registers_view, traps_view, console_view)]
Open = Callable[[], MainWindow]


@pytest.fixture
def open_window(engine: FakeEngine, settings: QSettings, catalogue: Catalogue, qtbot: QtBot) -> Open:
    def make() -> MainWindow:
        window = MainWindow(engine, settings, catalogue=catalogue, specs=SPECS)  # type: ignore[arg-type]
        qtbot.addWidget(window)
        window.open()
        return window

    return make


@pytest.fixture
def window(open_window: Open, engine: FakeEngine) -> MainWindow:
    window = open_window()
    engine.say_loaded(loaded())
    engine.say(snapshot(executed=0, traps=(), pc=BASE, sentence="Powered on."))
    return window


def view(window: MainWindow, kind: type[View]) -> View:
    return next(one for one in window.layout_.views.values() if isinstance(one, kind))


def test_it_opens_with_a_guest_on_its_way(open_window: Open, engine: FakeEngine) -> None:
    window = open_window()
    assert engine.last("load") == ("load", "small", "bare")
    assert window.sentence.text == "Loading Small …"


def test_snapshot_reaches_views_sentence_and_state(window: MainWindow, engine: FakeEngine) -> None:
    engine.say(
        snapshot(
            executed=1234, sentence="CLI was emulated.", stop=StopReason.BREAKPOINT, breakpoints=frozenset({BASE + 1})
        )
    )
    assert window.sentence.text == "CLI was emulated."
    assert window.state.text().replace("\u202f", " ") == "at a breakpoint · 1 234 instructions"
    code = view(window, CodeView)
    assert isinstance(code, CodeView)
    assert code.listing_model.pc == BASE + 1


def test_the_sentence_keeps_its_place_as_the_state_beside_it_gets_shorter(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    QApplication.processEvents()
    before = window.sentence.width()
    engine.say(snapshot(executed=123_456_789))
    qtbot.waitUntil(lambda: window.sentence.width() < before)
    place = window.sentence.geometry()
    engine.say(snapshot(executed=1))
    QApplication.processEvents()
    assert window.sentence.geometry() == place


def test_end_of_the_run_is_said(window: MainWindow, engine: FakeEngine) -> None:
    engine.say(snapshot(end=End(EndHow.EXIT, 3, "The guest exited with status 3.")))
    assert window.sentence.text == "The guest exited with status 3."
    assert window.state.text().startswith("ended")


class Counting(View):
    """Counts the snapshots that it was shown."""

    def __init__(self, theme: object, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)  # type: ignore[arg-type]
        self.shown = 0

    def show_snapshot(self, snapshot: Snapshot) -> None:
        self.shown += 1


def test_only_views_in_sight_are_given_snapshots(
    engine: FakeEngine, settings: QSettings, catalogue: Catalogue, qtbot: QtBot
) -> None:
    specs = [replace(spec, make=Counting) for spec in SPECS]
    window = MainWindow(engine, settings, catalogue=catalogue, specs=specs)  # type: ignore[arg-type]
    qtbot.addWidget(window)
    window.open()
    window.layout_.docks["code"].close()
    window.tabifyDockWidget(window.layout_.docks["traps"], window.layout_.docks["console"])
    window.layout_.docks["traps"].raise_()
    qtbot.waitUntil(lambda: len(window.layout_.in_sight()) == 3)
    before = {name: one.shown for name, one in window.layout_.views.items()}  # type: ignore[attr-defined]
    engine.say(snapshot())
    fresh = {name for name, one in window.layout_.views.items() if one.shown > before[name]}  # type: ignore[attr-defined]
    assert fresh == {"rings", "registers", "traps"}
    window.layout_.show_view("console")
    qtbot.waitUntil(lambda: window.layout_.views["console"].shown > before["console"])  # type: ignore[attr-defined]


def test_hidden_views_miss_neither_traps_nor_output(window: MainWindow, engine: FakeEngine, qtbot: QtBot) -> None:
    window.layout_.docks["console"].close()
    window.layout_.docks["traps"].close()
    qtbot.waitUntil(lambda: len(window.layout_.in_sight()) == 3)
    engine.say(snapshot(traps=traps(10), console=b"un", console_length=2))
    engine.say(snapshot(traps=traps(10, first=10), console=b"seen", console_length=6))
    window.layout_.show_view("console")
    window.layout_.show_view("traps")
    console, log = view(window, ConsoleView), view(window, TrapsView)
    assert isinstance(console, ConsoleView)
    assert isinstance(log, TrapsView)
    qtbot.waitUntil(lambda: console.text == "unseen")
    assert log.rows.rowCount() == 20


def test_after_a_refusal_the_sentence_says_where_the_machine_stands(window: MainWindow, engine: FakeEngine) -> None:
    window.program.open_file("broken.elf")
    assert window.sentence.text == "Loading broken.elf …"
    engine.refuse(ImageError("The file ends within its header.", "Copy it again.", "broken.elf"))
    assert window.sentence.text == "Powered on."


def test_a_first_guest_that_is_refused_leaves_no_promise(open_window: Open, engine: FakeEngine) -> None:
    window = open_window()
    engine.refuse(ImageError("The file ends within its header.", "Copy it again.", "broken.elf"))
    assert window.sentence.text == ""


@pytest.mark.parametrize("theme", ["dark", "projector-light"])
def test_every_tool_is_reachable_at_1280_pixels(window: MainWindow, theme: str) -> None:
    window.appearance.set_theme(theme)
    window.resize(1280, 720)
    assert window.toolbar.sizeHint().width() <= 1280
    window.resize(2560, 1440)
    assert window.speed.label.isVisible()
    assert window.program.guests.width() == window.program.guests.sizeHint().width()


def test_refused_image_is_told_and_nothing_else_changes(window: MainWindow, engine: FakeEngine) -> None:
    before = (window.sentence.text, window.state.text(), window.windowTitle(), list(engine.told))
    engine.refuse(ImageError("The file ends within its header.", "Copy it again.", "broken.elf"))
    assert window.message.text == "broken.elf: The file ends within its header. Copy it again."
    assert window.message.details.isHidden()
    assert (window.sentence.text, window.state.text(), window.windowTitle(), list(engine.told)) == before
    assert not window.layout_.views["code"].is_empty
    engine.say_loaded(loaded(generation=2))
    assert window.message.text == ""


def test_lost_engine_is_told_with_a_report_and_the_window_stays(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    engine.lost.emit("The engine died (SIGKILL). It starts again with Small, from power-on.")
    assert "died" in window.message.text
    engine.say_loaded(loaded(generation=2))
    engine.recovered.emit()
    assert "it was started again with the same guest, and is where it was." in window.message.text
    qtbot.mouseClick(window.message.details, Qt.MouseButton.LeftButton)
    dialog = window.findChild(ReportDialog)
    assert dialog is not None
    text = dialog.findChild(QPlainTextEdit)
    assert text is not None
    assert "SIGKILL" in text.toPlainText()
    assert "EFLAGS" in text.toPlainText()
    dialog.close()


def test_engine_that_comes_back_without_the_guest_says_so(window: MainWindow, engine: FakeEngine) -> None:
    engine.lost.emit("The engine died (SIGKILL). It starts again, with no guest: choose one to go on.")
    engine.recovered.emit()
    assert window.message.text == "The machine stopped working; it was started again without a guest."
    assert not window.actions_[Act.RUN].isEnabled()


def test_report_can_be_saved_and_failure_is_said(window: MainWindow, engine: FakeEngine, tmp_path: object) -> None:
    engine.fail(LabFault("An unknown exit.", "rip=0"))
    window.message.details.click()
    dialog = window.findChild(ReportDialog)
    assert dialog is not None
    dialog.save(f"{tmp_path}/report.txt")
    with open(f"{tmp_path}/report.txt", encoding="utf-8") as saved:
        assert "An unknown exit." in saved.read()
    dialog.save(f"{tmp_path}/no/such/folder/report.txt")
    assert "could not be saved" in dialog.outcome.text()
    dialog.close()


def test_breakpoint_clicked_in_the_code_view_reaches_the_engine(window: MainWindow, engine: FakeEngine) -> None:
    code = view(window, CodeView)
    assert isinstance(code, CodeView)
    code.show_address(BASE + 0x0E)
    window.actions_[Act.BREAKPOINT].trigger()
    assert engine.last("set_breakpoints") == ("set_breakpoints", frozenset({BASE + 0x0E}))
    window.actions_[Act.RUN_TO_CURSOR].trigger()
    assert engine.last("run_to") == ("run_to", BASE + 0x0E)


def test_typing_into_the_console_reaches_the_engine(window: MainWindow, engine: FakeEngine, qtbot: QtBot) -> None:
    console = view(window, ConsoleView)
    assert isinstance(console, ConsoleView)
    qtbot.keyClicks(console.terminal, "hi")
    assert [one for one in engine.told if one[0] == "send_input"] == [("send_input", b"h"), ("send_input", b"i")]


def test_choosing_a_trap_shows_its_instruction(window: MainWindow, engine: FakeEngine) -> None:
    engine.say(snapshot(traps=traps(10)))
    log, code = view(window, TrapsView), view(window, CodeView)
    assert isinstance(log, TrapsView)
    assert isinstance(code, CodeView)
    row = next(row for row in range(10) if log.rows.trap(row).pc != BASE)
    log.table.selectRow(row)
    assert code.cursor_address == log.rows.trap(row).pc


def test_layout_theme_text_and_speed_come_back(window: MainWindow, open_window: Open, qtbot: QtBot) -> None:
    window.layout_.docks["console"].close()
    window.actions_[Act.SWITCH_THEME].trigger()
    window.actions_[Act.TEXT_LARGER].trigger()
    window.run.set_speed(3)
    scale = window.appearance.theme.type.scale
    window.close()
    again = open_window()
    assert again.layout_.docks["console"].isHidden()
    assert not again.layout_.docks["traps"].isHidden()
    assert again.appearance.theme.palette.name == "light"
    assert again.appearance.theme.type.scale == scale
    assert again.speed.slider.value() == 3
    again.actions_[Act.RESET_LAYOUT].trigger()
    assert not again.layout_.docks["console"].isHidden()


def test_at_first_the_console_holds_pebbles_list_of_processes(window: MainWindow) -> None:
    console = view(window, ConsoleView)
    assert isinstance(console, ConsoleView)
    line = console.terminal.fontMetrics().horizontalAdvance("  pid parent state     runs  name____")
    assert console.terminal.viewport().width() - 2 * console.terminal.document().documentMargin() >= line


def test_a_view_that_stands_behind_another_is_a_tab_of_it(
    engine: FakeEngine, settings: QSettings, catalogue: Catalogue, qtbot: QtBot
) -> None:
    specs = [replace(spec, behind="registers") if spec.id == "rings" else spec for spec in SPECS]
    window = MainWindow(engine, settings, catalogue=catalogue, specs=specs)  # type: ignore[arg-type]
    qtbot.addWidget(window)
    window.open()
    docks = window.layout_.docks
    assert window.tabifiedDockWidgets(docks["registers"]) == [docks["rings"]]
    views = window.layout_.views
    qtbot.waitUntil(lambda: views["registers"] in window.layout_.in_sight())
    assert views["rings"] not in window.layout_.in_sight()


def test_a_view_takes_the_whole_window_and_gives_it_back(window: MainWindow, qtbot: QtBot) -> None:
    docks = window.layout_.docks
    qtbot.mouseDClick(docks["traps"], Qt.MouseButton.LeftButton, pos=QPoint(20, 8))
    assert [name for name, dock in docks.items() if dock.isVisible()] == ["traps"]
    qtbot.waitUntil(lambda: docks["traps"].width() > window.width() * 0.95)
    window.actions_[Act.ENLARGE].trigger()
    assert all(dock.isVisible() for dock in docks.values())
    qtbot.waitUntil(lambda: docks["traps"].width() + docks["console"].width() < window.width())
    assert docks["traps"].y() > docks["code"].y()


def test_a_lesson_that_points_elsewhere_ends_the_enlargement(window: MainWindow) -> None:
    window.layout_.enlarge("traps")
    window.point("registers", "EAX")
    assert window.layout_.docks["registers"].isVisible()
    assert not window.actions_[Act.ENLARGE].isChecked()


def test_a_layout_is_kept_as_it_was_before_a_view_was_enlarged(window: MainWindow, open_window: Open) -> None:
    window.layout_.enlarge("code")
    window.close()
    again = open_window()
    assert not again.layout_.docks["traps"].isHidden()


def test_a_layout_saved_with_other_views_gives_the_first_one(
    window: MainWindow, engine: FakeEngine, settings: QSettings, catalogue: Catalogue, qtbot: QtBot
) -> None:
    window.layout_.docks["console"].close()
    window.close()
    fewer = MainWindow(engine, settings, catalogue=catalogue, specs=SPECS[1:])  # type: ignore[arg-type]
    qtbot.addWidget(fewer)
    fewer.open()
    assert not fewer.layout_.docks["console"].isHidden()


@pytest.mark.parametrize("state", [QByteArray(b"nonsense"), "nonsense", 12, QByteArray()])
def test_saved_layout_that_does_not_fit_gives_the_first_one(
    settings: QSettings, open_window: Open, state: object
) -> None:
    settings.setValue("layout/state", state)
    settings.setValue("layout/geometry", state)
    window = open_window()
    assert all(not dock.isHidden() for dock in window.layout_.docks.values())


@pytest.mark.parametrize(("key", "value"), [("theme", "plaid"), ("text", "huge"), ("text", "nan"), ("text", "900")])
def test_nonsense_for_looks_is_put_right(settings: QSettings, open_window: Open, key: str, value: str) -> None:
    settings.setValue(f"appearance/{key}", value)
    window = open_window()
    assert window.appearance.theme.palette.name == "dark"
    assert 0.75 <= window.appearance.theme.type.scale <= 2.5


def test_keyboard_help_names_every_key(window: MainWindow) -> None:
    window.actions_[Act.KEYBOARD].trigger()
    dialog = window.findChild(KeyboardDialog)
    assert isinstance(dialog, QDialog)
    dialog.close()


def test_what_was_changed_to_port_pebble_is_shown(window: MainWindow) -> None:
    window.actions_[Act.PORTING].trigger()
    dialog = window.findChild(DiffDialog)
    assert isinstance(dialog, DiffDialog)
    assert dialog.files.count() > 5
    dialog.close()


def test_what_can_have_the_focus_has_a_name(window: MainWindow) -> None:
    nameless = [
        f"{type(widget).__name__} {widget.objectName()}"
        for widget in window.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.isVisibleTo(window)
        and not (widget.accessibleName() or getattr(widget, "text", lambda: "")())
    ]
    assert nameless == []


def test_every_control_of_every_view_has_a_name_and_every_column_a_meaning(
    engine: FakeEngine, settings: QSettings, catalogue: Catalogue, qtbot: QtBot
) -> None:
    window = MainWindow(engine, settings, catalogue=catalogue)  # type: ignore[arg-type]
    qtbot.addWidget(window)
    for name, shown in window.layout_.views.items():
        for widget in shown.findChildren(QWidget):
            takes_tab = widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.window() is window
            takes_tab = takes_tab and not widget.isHidden()
            if takes_tab and not isinstance(widget.parentWidget(), QTabBar):
                words = widget.accessibleName() or getattr(widget, "text", lambda: "")()
                assert words or widget.focusProxy(), f"{name}: {type(widget).__name__} {widget.objectName()}"
        for table in shown.findChildren(FactTable):
            heads, across = table.model().headerData, Qt.Orientation.Horizontal
            for section in range(table.model().columnCount()):
                said = heads(section, across, Qt.ItemDataRole.ToolTipRole)
                assert said or table.horizontalHeader().isHidden() or not heads(section, across), f"{name}: {section}"


def focus_chain(window: MainWindow) -> list[QWidget]:
    """What Tab leads to, in order."""
    chain, widget = [], window.nextInFocusChain()
    while widget is not window:
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible() and widget.isEnabled():
            chain.append(widget)
        widget = widget.nextInFocusChain()
    return chain


def test_no_view_pushes_the_others_aside_by_what_it_says(
    engine: FakeEngine, settings: QSettings, catalogue: Catalogue, qtbot: QtBot
) -> None:
    def wordy(theme: Theme) -> View:
        view = View(theme)
        view.set_content(QLabel("word " * 24))
        view.set_empty(False)
        return view

    specs = [*SPECS, replace(traps_view.VIEW, id="wordy", title="Wordy", order=99, make=wordy)]
    window = MainWindow(engine, settings, catalogue=catalogue, specs=specs)  # type: ignore[arg-type]
    qtbot.addWidget(window)
    window.open()
    window.layout_.show_view("wordy")
    qtbot.waitUntil(lambda: window.layout_.views["wordy"].isVisible())
    QApplication.processEvents()
    assert window.layout_.docks["console"].width() > 300


def test_bars_of_tabs_have_names_that_say_what_they_lead_to(
    engine: FakeEngine, settings: QSettings, catalogue: Catalogue, qtbot: QtBot
) -> None:
    specs = [*SPECS, replace(SPECS[0], id="more", title="More", area=SPECS[1].area, order=9)]
    window = MainWindow(engine, settings, catalogue=catalogue, specs=specs)  # type: ignore[arg-type]
    qtbot.addWidget(window)
    window.open()
    bars = [bar for bar in window.findChildren(QTabBar) if bar.isVisible()]
    assert [bar.accessibleName() for bar in bars] == ["Views here: Code, More"]


def test_a_run_that_is_wanted_before_the_first_guest_is_there_begins_with_it(
    open_window: Open, engine: FakeEngine
) -> None:
    window = open_window()
    run = window.actions_[Act.RUN]
    assert run.isEnabled()
    run.trigger()
    assert engine.last("run") is None
    assert "as soon as it is loaded" in window.actions_.reason(Act.RUN)
    engine.say_loaded(loaded())
    assert engine.last("run") == ("run",)


def test_a_run_that_was_wanted_is_forgotten_with_a_guest_that_is_refused(open_window: Open, engine: FakeEngine) -> None:
    window = open_window()
    window.actions_[Act.RUN].trigger()
    engine.refuse(ImageError("It is no guest.", "Choose another."))
    assert not window.actions_[Act.RUN].isEnabled()
    engine.say_loaded(loaded())
    assert engine.last("run") is None


def test_a_refusal_goes_when_what_the_person_does_next_succeeds(window: MainWindow, engine: FakeEngine) -> None:
    window.trouble.show_refusal(ImageError("It is no guest.", "Choose another."))
    engine.say(snapshot(executed=1))  # of itself
    assert "no guest" in window.message.text
    engine.asked.emit()
    engine.refuse(ImageError("Nor is this.", "Choose another."))
    engine.say(snapshot(executed=1))
    assert "Nor is this" in window.message.text
    engine.asked.emit()
    engine.say(snapshot(executed=2))
    assert not window.message.text
    engine.fail(LabFault("Ringside is wrong."))
    engine.asked.emit()
    engine.say(snapshot(executed=3))
    assert "wrong" in window.message.text


def test_tab_goes_through_the_window_as_one_reads_it(window: MainWindow, engine: FakeEngine, qtbot: QtBot) -> None:
    engine.say(snapshot(traps=traps(20), causes=tuple((cause, 1) for cause in reversed(Cause))))
    qtbot.waitUntil(lambda: sum(one.accessibleName().endswith(", 1") for one in focus_chain(window)) == len(Cause))
    chain = focus_chain(window)
    names = [widget.accessibleName() for widget in chain]
    tools = ["Start with", "Run", "Step", "Step over", "Step out", "Step by line"]
    assert [name for name in names if name in ("Guest", "Kind of monitor", "Speed", *tools)] == [
        "Guest", "Kind of monitor", *tools, "Speed",
    ]  # fmt: skip
    assert all(names)
    views = list(window.layout_.views.values())
    order = [at for widget in chain for at, one in enumerate(views) if one.isAncestorOf(widget)]
    assert order == sorted(order)
    chips = [name for name in names if name.endswith(", 1")]
    assert chips == [f"{cause.phrase}, 1" for cause in Cause]


def test_tab_leads_round_through_just_what_is_in_sight(
    engine: FakeEngine, settings: QSettings, catalogue: Catalogue, qtbot: QtBot
) -> None:
    specs = [*SPECS, replace(vms_view.VIEW, behind="traps"), vmcb_view.VIEW]
    window = MainWindow(engine, settings, catalogue=catalogue, specs=specs)  # type: ignore[arg-type]
    qtbot.addWidget(window)
    window.open()
    engine.say_loaded(loaded())
    engine.say(snapshot(traps=traps(20), causes=((Cause.IO, 20),)))
    window.program.guests.setFocus()
    order: list[QWidget] = []
    while (focus := window.focusWidget()) not in order:
        order.append(focus)
        qtbot.keyClick(focus, Qt.Key.Key_Tab)
    assert focus is order[0] is window.program.guests
    assert not any(window.layout_.docks[name].isAncestorOf(widget) for name in ("vms", "vmcb") for widget in order)
    names = [widget.accessibleName() for widget in order]
    inside = ["Rings", "Disassembly", "Views here: Code, VMCB", "Filter traps by words", "Timeline of traps"]
    inside += ["Table of traps", "Views here: Traps, VMs"]
    assert [name for name in names if name in inside] == inside
    assert names[-1] == "Timeline"
    qtbot.keyClick(order[0], Qt.Key.Key_Backtab)
    assert window.focusWidget() is order[-1]


def test_closing_ends_the_engine(window: MainWindow, engine: FakeEngine) -> None:
    window.close()
    assert engine.closed
