"""Explanations with values of the machine."""

from __future__ import annotations

import pytest

from core.events import Cause
from lessons.laboratory import observe
from lessons.prose import NO_VALUE, faulty_placeholders, filled
from tests.lessons.fake_laboratory import BASE, FakeLaboratory, Moment, program, trap


@pytest.fixture
def laboratory() -> FakeLaboratory:
    guest = program("guest", start=0)
    happened = trap(Cause.PRIVILEGED, 1, believed=0, time=1, pc=BASE + 1)
    made = FakeLaboratory([guest], {("guest", "bare"): (Moment(), Moment(1, 0, 0, 1, "hi\n", happened))})
    made.load(guest, "bare")
    made.step()
    return made


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{console}, {executed}, {ring}, {believed}, {guest}, {kind}", "hi, 1, 1, 0, guest, bare"),
        ("at {pc}, {symbol:start}", "at 0x00100001, 0x00100000"),
        ("{traps} in all, {traps:privileged} privileged, {traps:io} I/O", "1 in all, 1 privileged, 0 I/O"),
        ("{register:IF.believed} {register:if.real} {register:EAX.real}", "0 1 0x0000002a"),
        ("{trap:privileged.instruction} in {trap:privileged.ring_from}", "cli in 1"),
        ("{end}", "It has not ended."),
        ("{{braces}} stay", "{braces} stay"),
        ("{symbol:nowhere} {trap:io.pc} {register:TR.real}", f"{NO_VALUE} {NO_VALUE} {NO_VALUE}"),
    ],
)
def test_values_are_read_from_the_machine(laboratory: FakeLaboratory, template: str, words: str) -> None:
    assert list(faulty_placeholders(template)) == []
    assert filled(template, observe(laboratory)) == words


@pytest.mark.parametrize(
    ("template", "placeholder", "line"),
    [
        ("{rung}", "{rung}", 1),
        ("{ring:3}", "{ring:3}", 1),
        ("fine {ring}\n\nbad {traps:often}", "{traps:often}", 3),
        ("{trap:io.when}", "{trap:io.when}", 1),
        ("{trap:often.pc}", "{trap:often.pc}", 1),
        ("{register:IF}", "{register:IF}", 1),
        ("{register:XX.real}", "{register:XX.real}", 1),
        ("{symbol}", "{symbol}", 1),
        ("{ring!r}", "{ring}", 1),
        ("{}", "{}", 1),
        ("one { alone", "{", 1),
    ],
)
def test_a_placeholder_that_cannot_be_filled_is_told_with_its_line(template: str, placeholder: str, line: int) -> None:
    ((found, mend, where),) = faulty_placeholders(template)
    assert (found, where) == (placeholder, line)
    assert mend.endswith(".")
