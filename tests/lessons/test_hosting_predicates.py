"""What a lesson may do with VMs that share a machine, and what it may ask about their shares of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from core.errors import UnknownName
from core.guests.catalog import load_program
from core.session import Session
from lessons.acts import Act
from lessons.asking import Finding
from lessons.laboratory import observe
from lessons.predicates import Predicate
from lessons.prose import filled

HELLO = {"guest": "hello", "kind": "hardware"}


@pytest.fixture(scope="module")
def shared() -> Iterator[Session]:
    session = Session()
    yield session
    session.close()


@pytest.fixture
def lab(shared: Session) -> Session:
    """Hello, alone at power-on."""
    shared.load(load_program("hello"), "hardware")
    return shared


def find(lab: Session, **asked: Any) -> Finding:
    predicate: Predicate = TypeAdapter(Predicate).validate_python(asked)
    return predicate.examine(observe(lab))


def do(lab: Session, **what: Any) -> str:
    act: Act = TypeAdapter(Act).validate_python(what)
    act.perform(lab)
    return act.words


def test_a_vm_is_added_and_gets_its_share(lab: Session) -> None:
    assert find(lab, share_of="A", at_least=1).said == "Nothing has run yet."
    assert do(lab, add_vm=HELLO) == "Add a VM with hello under hardware"
    assert find(lab, vms=2).holds
    assert find(lab, all_ended=True).said == "Not ended: VM A, B."
    do(lab, run=True)
    assert find(lab, all_ended=True).holds
    found = find(lab, share_of="B", at_least=45, at_most=55)
    assert (found.holds, found.said) == (True, "VM B has had 50% of the CPU.")
    assert found.asked == "VM B has had 45 to 55 % of the CPU"
    assert not find(lab, share_of="B", at_most=45).holds
    assert find(lab, share_of="C", at_least=1).said == "There is no VM C."


def test_a_weight_is_set(lab: Session) -> None:
    do(lab, add_vm=HELLO)
    assert do(lab, weight=3, of="B") == "Set the weight of VM B to 3"
    assert [vm.weight for vm in lab.vms.summaries()] == [1, 3]
    with pytest.raises(UnknownName, match="no VM C"):
        do(lab, weight=3, of="C")


def test_memory_is_taken_back(lab: Session) -> None:
    assert not find(lab, taken_from="A", at_least=1).holds
    assert do(lab, take_back=4, of="A") == "Take 4 MiB back from VM A"
    found = find(lab, taken_from="A", at_least=4, at_most=4)
    assert (found.holds, found.said) == (True, "4 MiB are taken from VM A, 12 are its own.")
    assert find(lab, taken_from="B").said == "There is no VM B."
    do(lab, run=True)
    assert find(lab, end="exit", status=0).holds


def test_a_machine_is_busy_while_somebody_computes(lab: Session) -> None:
    assert find(lab, machine="busy", at_most=0).holds
    do(lab, step=20)
    assert find(lab, machine="busy", at_least=100).holds
    found = find(lab, machine="clock", at_least=20, at_most=20)
    assert (found.holds, found.asked) == (True, "The machine's clock says 20")
    assert filled("{busy} {machine_time}", observe(lab)) == "100% 20"


@pytest.mark.parametrize(
    "asked",
    [{"share_of": "a"}, {"machine": "fast"}, {"taken_from": "A", "at_least": -1}, {"all_ended": 1}],
)
def test_a_faulty_question_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Predicate).validate_python(asked)


@pytest.mark.parametrize("what", [{"weight": 0, "of": "A"}, {"take_back": -1, "of": "A"}, {"add_vm": "hello"}])
def test_a_faulty_act_is_refused(what: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Act).validate_python(what)
