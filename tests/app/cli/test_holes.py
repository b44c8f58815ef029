"""``ringside holes``: the measured table, as text and as JSON."""

from __future__ import annotations

import json

import pytest

from app.__main__ import main


def test_the_table_says_what_was_seen_on_bare_and_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["holes", "--kinds", "trap_emulate"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["bare", "trap_emulate"]
    assert ["PUSHF", "IF", "=", "0", "silently", "differs:", "IF", "=", "1"] in lines
    assert ["INT", "CS", "=", "8", "traps:", "CS", "=", "8"] in lines


def test_json_gives_verdict_and_values_by_guest_and_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["holes", "--kinds", "trap_emulate", "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert table["holes/popf"]["instruction"] == "popf"
    kinds = table["holes/popf"]["kinds"]
    assert {kind: (cell["verdict"], cell["seen"], cell["words"], cell["cause"]) for kind, cell in kinds.items()} == {
        "bare": ("same", {"interrupts": 1}, ["interrupts = 1"], None),
        "trap_emulate": ("silently-differs", {"interrupts": 0}, ["interrupts = 0"], None),
    }


def test_an_unknown_kind_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["holes", "--kinds", "magic"]) != 0
    assert "trap_emulate" in capsys.readouterr().err


def test_a_tiny_guest_runs_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "holes/popf", "--vmm", "trap_emulate"]) == 0
