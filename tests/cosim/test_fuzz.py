"""``ringside cosim``: what it runs, what it says of a difference, and that a seed says it all."""

from __future__ import annotations

import pytest

from app.__main__ import main
from app.cli.cosim import TESTS, from_checkout
from core.vmm.deprivileged_cpu import DeprivilegedCpu


def test_equal_programs_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cosim", "--programs", "10", "--seed", "3"]) == 0
    assert capsys.readouterr().out == "10 programs: no difference from the bare machine under trap_emulate.\n"


def test_a_monitor_that_forgets_is_found_and_the_program_is_short(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A monitor that always says CR2 is 0."""
    monkeypatch.setattr(DeprivilegedCpu, "cr", lambda self, number: 0 if number == 2 else self._cr[number])
    assert main(["cosim", "--programs", "60", "--seed", "1"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith("timer:")
    assert any(line.startswith("trap_emulate: CR2") for line in said)
    assert sum(line.startswith("  ") for line in said) <= 3


def test_progress_counts_all_programs() -> None:
    told: list[int] = []
    fuzz = from_checkout(TESTS / "cosim", "fuzz", "The random programs", "cosim")
    assert fuzz.cosimulate(7, 0, ["trap_emulate"], told.append) == ""
    assert told == sorted(told)
    assert told[-1] == 7
