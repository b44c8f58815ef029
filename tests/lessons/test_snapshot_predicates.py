"""What a lesson may ask about VMs as data: how far one has come, what is kept, whose clock is behind, who is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from core.errors import RequestError
from core.guests.catalog import load_program
from core.session import Session
from lessons.acts import Act
from lessons.asking import Finding
from lessons.laboratory import observe
from lessons.predicates import Predicate
from lessons.prose import NO_VALUE, filled


@pytest.fixture(scope="module")
def lab() -> Iterator[Session]:
    session = Session()
    yield session
    session.close()


@pytest.fixture
def at_power_on(lab: Session) -> Session:
    lab.load(load_program("hello"), "trap_emulate")
    return lab


def find(lab: Session, **asked: Any) -> Finding:
    predicate: Predicate = TypeAdapter(Predicate).validate_python(asked)
    return predicate.examine(observe(lab))


def do(lab: Session, **what: Any) -> None:
    act: Act = TypeAdapter(Act).validate_python(what)
    act.perform(lab)


def test_how_far_a_vm_has_come(at_power_on: Session) -> None:
    lab = at_power_on
    assert find(lab, diverged_from="image", at_most=0, sectors_at_most=0).holds
    missing = find(lab, diverged_from="snapshot", at_most=0)
    assert (missing.holds, missing.said) == (False, "No snapshot has been taken yet.")
    assert filled("{diverged:image.pages} {diverged:snapshot.pages}", observe(lab)) == f"0 {NO_VALUE}"
    do(lab, run=True)
    found = find(lab, diverged_from="image", at_least=1, at_most=9)
    assert found.holds
    assert found.asked == "The VM differs from its image in 1 to 9 pages"
    assert found.said.endswith("of 4,096 pages.")
    assert not find(lab, diverged_from="image", at_most=0).holds
    do(lab, take_snapshot="here")
    assert find(lab, diverged_from="snapshot", at_most=0).holds


def test_only_what_was_kept_since_power_on_counts(at_power_on: Session) -> None:
    lab = at_power_on
    assert not find(lab, snapshots=1).holds
    with pytest.raises(RequestError, match="No snapshot"):
        do(lab, revert=True)
    do(lab, take_snapshot="here")
    assert find(lab, snapshots=1).holds
    assert not find(lab, snapshots=2).holds
    do(lab, take_snapshot="here")  # a second look at the lesson keeps it anew
    assert [each.name for each in lab.snapshots.shelf.kept].count("here") == 1
    do(lab, load={"guest": "hello", "kind": "trap_emulate"})
    assert not find(lab, snapshots=1).holds


def test_a_vm_that_was_put_back_has_a_clock_behind(at_power_on: Session) -> None:
    lab = at_power_on
    do(lab, take_snapshot="here")
    do(lab, step=20)
    assert find(lab, clock_behind=False).holds
    do(lab, revert=True)
    found = find(lab, clock_behind=True)
    assert (found.holds, found.said) == (True, "The VM's clock says 0, the machine's 20.")
    assert filled("{time} {machine_time}", observe(lab)) == "0 20"


def test_a_clone_is_another_vm(at_power_on: Session) -> None:
    lab = at_power_on
    do(lab, run=True)
    do(lab, take_snapshot="here")
    assert find(lab, vms=1).holds
    do(lab, clone="hardware")
    found = find(lab, vms=2)
    assert (found.holds, found.said) == (True, "VMs of this machine: A, B.")
    assert not find(lab, vm="B").holds
    do(lab, look_at="B")
    assert find(lab, vm="B").holds
    assert find(lab, vm="A", console_contains="Hello").holds
    assert not find(lab, vm="A", console_contains="Bye").holds
    assert find(lab, vm="C", console_contains="Hello").said == "There is no VM C."
    do(lab, elsewhere="translation")
    assert find(lab, vms=1).holds
    assert find(lab, kind="translation").holds
    assert find(lab, console_contains="Hello").holds


@pytest.mark.parametrize(
    "asked",
    [{"diverged_from": "image"}, {"diverged_from": "disk", "at_most": 0}, {"vm": "b"}, {"vms": 0}, {"snapshots": -1}],
)
def test_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Predicate).validate_python(asked)
