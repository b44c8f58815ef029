"""What is taken of the lab's objects: everything, put back where it was, with its identities."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.timeline import capture
from core.timeline.capture import restore
from core.timeline.describe import describe


class Part:
    """An object of the lab, as far as `capture` can tell."""

    __module__ = "core.part"
    NOT_STATE = ("looked_for",)

    def __init__(self) -> None:
        self.count = 0
        self.looked_for = "by the caller"
        self.others: list[Part] = []


@dataclass(slots=True)
class Value:
    """A value that can change."""

    entries: dict[int, set[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fact:
    """A value that cannot."""

    part: Part


def taken(part: Part) -> capture.Captured:
    return capture.capture(part, ())


def test_values_are_copied_out_and_put_back() -> None:
    part = Part()
    part.table = Value({1: {2, 3}})  # type: ignore[attr-defined]
    saved = taken(part)
    part.count = 5
    part.table.entries[1].add(4)  # type: ignore[attr-defined]
    restore(saved)
    assert part.count == 0
    assert part.table.entries == {1: {2, 3}}  # type: ignore[attr-defined]


def test_what_was_saved_is_not_touched_by_going_on_from_it() -> None:
    part = Part()
    part.table = Value({1: {2}})  # type: ignore[attr-defined]
    saved = taken(part)
    for _ in range(2):
        restore(saved)
        assert part.table.entries == {1: {2}}  # type: ignore[attr-defined]
        part.table.entries[1].clear()  # type: ignore[attr-defined]


def test_a_field_that_nobody_declared_is_saved_and_one_that_is_new_goes() -> None:
    part = Part()
    part.__dict__["unheard_of"] = [1]
    saved = taken(part)
    part.__dict__["unheard_of"].append(2)
    part.__dict__["later"] = 1
    restore(saved)
    assert part.__dict__["unheard_of"] == [1]
    assert "later" not in part.__dict__


def test_what_belongs_to_the_caller_is_left_alone() -> None:
    part = Part()
    saved = taken(part)
    part.looked_for = "something else"
    restore(saved)
    assert part.looked_for == "something else"


def test_objects_keep_their_identity_however_they_are_reached() -> None:
    part, listed, bound, enclosed, held = Part(), Part(), Part(), Part(), Part()

    def closure() -> int:
        return enclosed.count

    part.others = [listed]
    part.__dict__["method"] = bound.__init__  # type: ignore[misc]
    part.__dict__["closure"] = closure
    part.__dict__["fact"] = Fact(held)
    everyone = (listed, bound, enclosed, held)
    saved = taken(part)
    for each in everyone:
        each.count = 9
    restore(saved)
    assert part.others[0] is listed
    assert [each.count for each in everyone] == [0, 0, 0, 0]


def test_two_names_of_one_value_stay_two_names_of_one_value() -> None:
    part = Part()
    part.__dict__["one"] = part.__dict__["other"] = Value()
    saved = taken(part)
    restore(saved)
    assert part.__dict__["one"] is part.__dict__["other"]


def test_every_field_is_there_to_be_compared() -> None:
    part = Part()
    part.others = [Part()]
    fields = describe("part", part, ())
    assert list(fields) == ["part.count", "part.others", "part.others[0].count", "part.others[0].others"]


def test_objects_made_anew_are_described_alike_and_other_fields_are_not() -> None:
    one, other = Part(), Part()
    one.others, other.others = [Part(), one], [Part(), other]
    assert describe("part", one, ()) == describe("part", other, ())
    other.others[0].count = 1
    assert describe("part", one, ()) != describe("part", other, ())
