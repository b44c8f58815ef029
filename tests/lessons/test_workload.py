"""The order of kinds, as a lesson asks for it: run under each, counted, priced."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from core.errors import LessonError
from lessons.asking import Finding
from lessons.laboratory import observe
from lessons.loader import CONTENT
from lessons.predicates import Predicate
from lessons.workload import modelled_cycles
from tests.lessons.test_predicates import laboratory

FOLDER = CONTENT / "10-the-three-types-one-guest"
THREE = str(FOLDER / "three.s")


def find(**asked: Any) -> Finding:
    predicate: Predicate = TypeAdapter(Predicate).validate_python(asked, context={"folder": FOLDER})
    return predicate.examine(observe(laboratory()))


def test_a_stretch_costs_what_is_counted_in_it() -> None:
    assert modelled_cycles(THREE, "bare", "compute", "ports") == 300  # three instructions, a hundred rounds
    assert modelled_cycles(THREE, "trap_emulate", "ports", "control") == 201 + 100 * (889 + 1141 + 214)
    assert modelled_cycles(THREE, "hardware_shadow", "ports", "control") == 201 + 100 * (4340 + 214)


def test_kinds_are_put_in_order_by_what_they_really_cost() -> None:
    words = {"guest": "three.s", "ported": "three-pv.s", "between": ["control", "done"]}
    assert find(order=["translation", "paravirt", "trap_emulate", "hardware_shadow"], **words).holds
    wrong = find(order=["paravirt", "translation"], **words)
    assert not wrong.holds
    assert wrong.said.startswith("Modelled cycles on a Pentium 4, 2006: Paravirtualization ")
    assert find(order=["hardware", "hardware_shadow"], **words).asked == (
        "From control to done, cheapest first: Hardware-assisted (AMD-V), AMD-V with shadow paging"
    )


def test_a_label_that_is_not_there_is_told() -> None:
    with pytest.raises(LessonError, match="no label “nowhere”"):
        modelled_cycles(THREE, "bare", "compute", "nowhere")
