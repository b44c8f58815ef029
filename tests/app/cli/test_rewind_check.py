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
