"""Comparing in the real window: the machine goes on meanwhile, it can be cancelled, and a difference can be gone to."""

from __future__ import annotations

from PySide6.QtCore import QProcess

from app.controllers.actions import Act
from app.controllers.worker_pool import WorkerPool
from app.models.properties import Property
from app.views.compare_view import CompareView
from app.widgets.compare.costs_page import CostsPage
from core.costs import Work

from .conftest import Person


def comparing(person: Person) -> CompareView:
    person.window.layout_.show_view("compare")
    view = person.window.layout_.views["compare"]
    assert isinstance(view, CompareView)
    view.guests.setCurrentIndex(view.guests.findData("hole"))
    view.guests.activated.emit(view.guests.currentIndex())
    return view


def test_the_machine_in_the_window_goes_on_and_the_place_of_a_difference_is_gone_to(person: Person) -> None:
    person.load("hello")
    view = comparing(person)
    view.compare.click()
    person.press(Act.STEP)
    person.wait(lambda: person.sees.executed == 1)  # while the workers work
    assert view.compare.text() == "Cancel"
    person.wait(lambda: "trap_emulate" in view.comparison.results)
    view.compare.click()
    assert view.compare.text() == "Compare"
    view.point_at("properties")
    wanted = ("trap_emulate", Property.EQUIVALENCE)
    gauge = next(each for each in view.properties.buttons if (each.gauge.kind, each.gauge.property) == wanted)
    gauge.click()
    view.properties.lead.click()
    person.wait(lambda: person.sees.kind == "trap_emulate" and person.sees.executed == 2)
    assert person.sees.guest == "hole"
    assert person.sees.listing
    line = next(line for line in person.sees.listing if line.address == person.sees.pc)
    assert line.text.startswith("pushf")


def test_closing_the_window_ends_the_workers(person: Person) -> None:
    view = comparing(person)
    view.compare.click()
    pool = person.window.findChild(WorkerPool)
    assert pool is not None
    assert pool.busy
    person.window.close()
    assert not pool.busy
    assert all(each.state() is QProcess.ProcessState.NotRunning for each in pool.findChildren(QProcess))


def test_a_price_is_edited_in_the_window_and_kept(person: Person) -> None:
    view = comparing(person)
    view.point_at("costs")
    page = view.page
    assert isinstance(page, CostsPage)
    row = list(Work).index(Work.EXIT)
    page.model.setData(page.model.index(row, 1), "1234")
    assert view.book.price(Work.EXIT).cycles == 1234
    page.undo.click()
    assert not view.book.is_edited()
    assert person.window.settings.contains("compare/costs")
