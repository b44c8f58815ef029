"""`ringside rewind-check` as scripts and people call it."""

from __future__ import annotations

import json

import pytest

from app.__main__ import main
from core import rewind
from core.session import Session
from core.timeline.timeline import Recording


def test_equal_moments_are_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["rewind-check", "hello", "--points", "5", "--json"])
    assert (status, json.loads(capsys.readouterr().out)["different"]) == (0, [])


def test_a_difference_is_named_and_is_status_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine whose memory is changed on the way back, unseen."""

    class Forgetful(Session):
        def __init__(self, *, history: Recording) -> None:
            super().__init__(history=history)
            self._honest, self.travel.go_to = self.travel.go_to, self._go_to  # type: ignore[method-assign]

        def _go_to(self, executed: int) -> None:
            self._honest(executed)
            self.machine.ram.bytes[0x5000] ^= 1

    monkeypatch.setattr(rewind, "Session", Forgetful)
    assert main(["rewind-check", "rings", "--vmm", "trap_emulate", "--points", "1"]) == 1
    assert "instructions: RAM differs" in capsys.readouterr().out


def test_several_vms_of_different_kinds_to_which_something_is_done_are_checked_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    others = ("rings:kind=translation,weight=3", "hello:kind=hardware,memory=4,cap=40", "pebble-pv:kind=paravirt")
    command = ["rewind-check", "rings", "--vmm", "trap_emulate", "--points", "30", "--acts", "20", "--json"]
    command += ["--max-instructions", "60000", *(word for other in others for word in ("--with", other))]
    assert main(command) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["points"], told["different"]) == (30, [])


def test_a_guest_on_the_bare_machine_has_nobody_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rewind-check", "rings", "--points", "1", "--with", "rings"]) == 2
    assert "bare machine has it for itself" in capsys.readouterr().err
