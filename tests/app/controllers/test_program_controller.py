"""Choosing guest and kind: the choosers always say what is really loaded, whatever was tried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QSettings, Qt, QUrl
from PySide6.QtWidgets import QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from app.controllers.actions import Act, Actions
from app.controllers.catalogue import Catalogue, Choice
from app.controllers.program_controller import ProgramController
from app.engine.protocol import Selected
from core.errors import ImageError
from core.guests.catalog import load_program
from core.lab.vm_files import save_vm
from core.session import Session
from tests.app.builders import loaded, program
from tests.app.fake_engine import FakeEngine


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[QWidget]:
    window = QWidget()
    qtbot.addWidget(window)
    return window


@pytest.fixture
def actions(window: QWidget) -> Actions:
    return Actions(window)


@pytest.fixture
def chooser(
    engine: FakeEngine, actions: Actions, catalogue: Catalogue, settings: QSettings, window: QWidget, qtbot: QtBot
) -> ProgramController:
    made = ProgramController(engine, actions, catalogue, settings, window)  # type: ignore[arg-type]
    for widget in (made.guests, made.kinds, made.recent_menu):
        qtbot.addWidget(widget)
    return made


def chosen(chooser: ProgramController) -> tuple[object, object]:
    return chooser.guests.currentData(), chooser.kinds.currentData()


def pick(chooser: ProgramController, guest: int, kind: int) -> None:
    """As a person does: the boxes change, and tell that someone activated them."""
    chooser.guests.setCurrentIndex(guest)
    chooser.kinds.setCurrentIndex(kind)
    chooser.kinds.activated.emit(kind)


def test_choosing_loads(chooser: ProgramController, engine: FakeEngine) -> None:
    pick(chooser, 1, 1)
    assert engine.told == [("load", "other", "trap_emulate")]


def test_choosing_the_same_again_loads_nothing(chooser: ProgramController, engine: FakeEngine) -> None:
    engine.say_loaded(loaded())
    pick(chooser, 0, 1)
    assert engine.told == []


def test_refused_load_leaves_the_choosers_at_what_is_loaded(chooser: ProgramController, engine: FakeEngine) -> None:
    engine.say_loaded(loaded())
    pick(chooser, 1, 0)
    engine.refuse(ImageError("It is truncated.", "Copy it again.", "other"))
    assert chosen(chooser) == ("small", "trap_emulate")


def test_a_guest_brings_along_a_kind_that_can_run_it(chooser: ProgramController, engine: FakeEngine) -> None:
    chooser.catalogue = replace(
        chooser.catalogue, guests=(chooser.catalogue.guests[0], Choice("other", "Other", "", ("trap_emulate",)))
    )
    engine.say_loaded(loaded(kind="bare"))
    chooser.guests.setCurrentIndex(1)
    chooser.guests.activated.emit(1)
    assert engine.told == [("load", "other", "trap_emulate")]


def test_the_choosers_say_what_runs_in_the_vm_that_is_looked_at(chooser: ProgramController, engine: FakeEngine) -> None:
    engine.say_loaded(loaded())
    engine.say_selected(Selected("B", program("other"), "bare"))
    assert chosen(chooser) == ("other", "bare")
    assert chooser.to_add()[:2] == ("other", "bare")
    engine.refuse(ImageError("There is no room.", "Remove a VM.", "other"))
    assert chosen(chooser) == ("other", "bare")
    engine.say_selected(Selected("A", loaded().program, loaded().kind))
    assert chosen(chooser) == ("small", "trap_emulate")


def test_each_kind_has_its_sentence_as_tooltip(chooser: ProgramController) -> None:
    assert chooser.kinds.itemData(1, Qt.ItemDataRole.ToolTipRole) == "Ring 1."
    chooser.load("small", "trap_emulate")
    assert "Ring 1." in chooser.kinds.toolTip()


def test_opened_file_is_offered_and_remembered(chooser: ProgramController, engine: FakeEngine, tmp_path: Path) -> None:
    path = str(tmp_path / "mine.s")
    chooser.open_file(path)
    assert engine.told == [("load", path, "bare")]
    assert chooser.guests.currentText() == "mine.s"
    engine.say_loaded(replace(loaded(kind="bare"), program=program("mine"), name_or_path=path))
    assert [action.toolTip() for action in chooser.recent_menu.actions()] == [path]
    chooser.recent_menu.actions()[0].trigger()
    assert engine.told[-1] == ("load", path, "bare")


def test_a_recent_file_that_is_gone_is_not_offered(chooser: ProgramController, tmp_path: Path) -> None:
    (tmp_path / "there.s").touch()
    for name in ("gone.s", "there.s"):
        chooser.remember(str(tmp_path / name))
    chooser.recent_menu.aboutToShow.emit()
    assert [action.text() for action in chooser.recent_menu.actions() if action.isVisible()] == ["there.s"]


def test_a_vm_in_a_file_goes_on_under_its_own_kind(
    chooser: ProgramController, engine: FakeEngine, tmp_path: Path
) -> None:
    session, path = Session(), tmp_path / "early.ringvm"
    session.load(load_program("hello"), "hardware")
    save_vm(session.snapshots.now(), "early", path, "")
    session.close()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    chooser.drop(data)
    assert engine.told == [("load", str(path), "")]


def test_file_that_was_refused_is_not_remembered(chooser: ProgramController, engine: FakeEngine) -> None:
    engine.say_loaded(loaded())
    chooser.open_file("/nowhere/broken.elf")
    engine.refuse(ImageError("There is no such file.", "Check the path.", "/nowhere/broken.elf"))
    assert chooser.recent_menu.isEmpty()
    assert chosen(chooser) == ("small", "trap_emulate")


def test_open_dialogue_does_not_wait(
    chooser: ProgramController, actions: Actions, engine: FakeEngine, window: QWidget, tmp_path: Path
) -> None:
    actions[Act.OPEN].trigger()
    dialog = window.findChild(QFileDialog)
    assert dialog is not None
    dialog.fileSelected.emit(str(tmp_path / "mine.bin"))
    assert engine.told == [("load", str(tmp_path / "mine.bin"), "bare")]
    dialog.close()


def dropped(*paths: str) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(path) for path in paths])
    return data


def test_dropped_file_is_loaded(chooser: ProgramController, engine: FakeEngine) -> None:
    data = dropped("/some/where/kernel.elf")
    assert chooser.can_drop(data)
    chooser.drop(data)
    assert engine.told == [("load", "/some/where/kernel.elf", "bare")]


def test_several_dropped_files_are_refused_in_words(
    chooser: ProgramController, engine: FakeEngine, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(chooser.refused) as heard:
        chooser.drop(dropped("/a.elf", "/b.elf"))
    assert "2 files" in str(heard.args[0])
    assert engine.told == []


def test_text_cannot_be_dropped(chooser: ProgramController) -> None:
    data = QMimeData()
    data.setText("not a file")
    assert not chooser.can_drop(data)


def test_last_guest_and_kind_come_back(chooser: ProgramController, engine: FakeEngine, settings: QSettings) -> None:
    engine.say_loaded(replace(loaded(), name_or_path="other"))
    chooser.restore()
    assert engine.told[-1] == ("load", "other", "trap_emulate")


@pytest.mark.parametrize(("guest", "kind"), [("gone", "gone"), ("", ""), ("/no/such/file.elf", "bare")])
def test_what_is_gone_gives_way_to_the_first(
    chooser: ProgramController, engine: FakeEngine, settings: QSettings, guest: str, kind: str
) -> None:
    settings.setValue("program/guest", guest)
    settings.setValue("program/kind", kind)
    chooser.restore()
    assert engine.told == [("load", "small", "bare")]


def test_nonsense_for_recent_files_is_none(
    engine: FakeEngine, catalogue: Catalogue, settings: QSettings, window: QWidget, qtbot: QtBot
) -> None:
    settings.setValue("program/recent", 17)
    made = ProgramController(engine, Actions(window), catalogue, settings, window)  # type: ignore[arg-type]
    for widget in (made.guests, made.kinds, made.recent_menu):
        qtbot.addWidget(widget)
    assert made.recent_menu.isEmpty()
