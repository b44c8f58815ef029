"""The Memory view on real machines: colours by use or owner, a glow where memory is used, any page in words."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.models.memory_map import TAKEN_BACK, MapMode
from app.theme import Theme
from app.views.memory_view import MemoryView
from core.cpu.probes import ProbeBuffers
from core.layout import MACHINE_MEMORY
from core.looks import Look, Seen, Space
from core.memory.guest_physical import ABSENT
from core.session import Session
from tests.app.builders import loaded, snapshot
from tests.core.paged_guest import DIRECTORY, TARGET, paged


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counters() -> ProbeBuffers:
    return ProbeBuffers.private(MACHINE_MEMORY)


@pytest.fixture
def view(qtbot: QtBot, theme: Theme, counters: ProbeBuffers, clock: Clock) -> MemoryView:
    view = MemoryView(theme, clock=clock)
    qtbot.addWidget(view)
    view.resize(700, 400)
    view.show()
    view.watch_counters(counters)
    view.show_program(loaded())
    return view


@pytest.fixture(scope="module")
def session() -> Session:
    return paged("trap_emulate", "written")


def show(view: MemoryView, session: Session) -> None:
    found = session.seen(view.look, None).map
    view.show_snapshot(snapshot(seen=Seen(map=found)))


def test_the_legend_counts_what_the_map_shows(view: MemoryView, session: Session) -> None:
    show(view, session)
    lines = {line.name: line.count for line in view.model.legend()}
    assert lines["page tables"] == 3
    assert lines["user"] == 1
    assert lines["guest image"] == 1
    assert sum(lines.values()) == session.vmm.physical.size >> 12


def test_a_chosen_page_says_what_it_is_and_what_leads_to_it(view: MemoryView, session: Session) -> None:
    show(view, session)
    view.map._take(TARGET >> 12)
    assert view.look == Look(map=True, page=TARGET >> 12)
    show(view, session)
    words = view.words.text().replace("\u202f", "")
    assert words.startswith("00030000: user. Mapped for ring 3")
    assert "Mapped at 00030000 in the page tables of CR3 (writable); 00400000" in words
    assert view.map.accessibleDescription() == view.words.text()


def test_the_counts_of_a_page_are_the_probes_own(view: MemoryView, session: Session, counters: ProbeBuffers) -> None:
    show(view, session)
    frame = session.vmm.physical.frames[TARGET >> 12] >> 12
    counters.reads[frame], counters.writes[frame], counters.fetches[frame] = 12, 3, 1
    view.map._take(TARGET >> 12)
    assert "12 reads, 3 writes, 1 instructions" in view.words.text()


def test_the_machines_map_names_owners_and_finds_the_chosen_page_again(view: MemoryView, session: Session) -> None:
    show(view, session)
    view.map._take(DIRECTORY >> 12)
    view.modes.button(1).click()
    names = {line.name for line in view.model.legend()}
    assert {"host", "VM A", "free", "monitor of A: shadow page tables"} <= names
    assert view.map.cell == session.vmm.physical.frames[DIRECTORY >> 12] >> 12
    words = view.words.text().replace("\u202f", "")
    assert "VM A. Belongs to VM A" in words
    assert f"Holds guest-physical {DIRECTORY:08X}: page tables." in words


def test_the_map_ends_after_what_is_in_use_unless_all_of_it_is_wanted(view: MemoryView, session: Session) -> None:
    show(view, session)
    assert len(view.model.numbers) == 512
    view.whole.click()
    assert len(view.model.numbers) == session.vmm.physical.size >> 12
    view.set_mode(MapMode.MACHINE)
    assert len(view.model.numbers) == session.machine.ram.size >> 12


def test_what_is_touched_between_two_looks_glows_and_fades(
    view: MemoryView, session: Session, counters: ProbeBuffers, clock: Clock
) -> None:
    show(view, session)
    counters.writes[session.vmm.physical.frames[5] >> 12] += np.uint32(9)
    clock.now = 0.1
    show(view, session)
    assert np.flatnonzero(view.map._glow).tolist() == [5]
    view.heats.setCurrentIndex(view.heats.findText("reads"))
    assert not view.map._glow.any()
    view.heats.setCurrentIndex(0)
    assert view._fading.isActive()
    clock.now = 10.0
    view._fade()
    assert not view._fading.isActive()


def test_a_hidden_view_stops_fading(view: MemoryView, session: Session) -> None:
    show(view, session)
    assert view._fading.isActive()
    view.hide()
    assert not view._fading.isActive()


def test_a_pressed_line_of_the_legend_lights_its_pages_alone(view: MemoryView, session: Session, qtbot: QtBot) -> None:
    show(view, session)
    code = next(line.code for line in view.model.legend() if line.name == "page tables")
    button = view.legend._buttons[code]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert view.map._spotlight == code
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert view.map._spotlight is None


def test_from_a_page_one_gets_to_its_bytes(view: MemoryView, session: Session, qtbot: QtBot) -> None:
    show(view, session)
    menu = view.menu_of(DIRECTORY >> 12)
    with qtbot.waitSignal(view.bytesRequested) as asked:
        menu.actions()[0].trigger()
    assert asked.args == [Space.PHYSICAL, DIRECTORY]
    view.set_mode(MapMode.MACHINE)
    view.map._take(7)
    with qtbot.waitSignal(view.bytesRequested) as asked:
        qtbot.keyClick(view.map, Qt.Key.Key_Return)
    assert asked.args == [Space.HOST, 7 << 12]


def test_another_program_empties_it(view: MemoryView, session: Session) -> None:
    show(view, session)
    view.show_program(loaded(2))
    assert view.is_empty
    assert view.look == Look(map=True)


def test_a_page_that_was_taken_back_says_so_and_glows_nowhere(
    view: MemoryView, counters: ProbeBuffers, clock: Clock
) -> None:
    session = paged("trap_emulate", "written")
    session.vms.balloon("A", 8 << 20)
    show(view, session)
    absent = session.vmm.physical.frames.index(ABSENT)
    view.map._take(absent)
    assert TAKEN_BACK in view.words.text()
    counters.reads[:] += np.uint32(1)
    clock.now = 0.1
    show(view, session)
    assert view.map._glow[absent] == 0
    assert view.map._glow[TARGET >> 12] > 0
    view.set_mode(MapMode.MACHINE)
    assert view.map.cell == -1
