"""`ringside compare` as scripts and people call it."""

from __future__ import annotations

import json

import pytest

from app.__main__ import main
from core.guests.catalog import guest_named
from core.measured import JSON
from core.vmm import kinds, kinds_for


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(["compare", *words])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_json_has_every_kind_with_its_run_and_its_difference(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = ran(capsys, "rings", "--json")
    told = json.loads(out)
    assert status == 0
    assert told["image"] == "rings"
    assert list(told["kinds"]) == list(kinds_for())
    for row in told["kinds"].values():
        assert row["first_difference"] is None
        assert row["end"] == {"how": "exit", "status": 0}
    assert told["kinds"]["bare"]["instructions"] == told["kinds"]["trap_emulate"]["instructions"]


def test_a_known_hole_is_shown_and_does_not_count_as_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = ran(capsys, "hole", "--json")
    found = json.loads(out)["kinds"]["trap_emulate"]["first_difference"]
    assert status == 0
    assert (found["instruction"], found["documented"], found["executed"]) == ("pushf", True, 3)


def test_people_are_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = ran(capsys, "hole", "--kinds", "trap_emulate")
    assert "first difference after 3 instructions, by pushf" in out
    assert "on the bare machine 0x00000002" in out
    _, out, _ = ran(capsys, "hello")
    assert "no difference from the bare machine" in out


def test_an_unknown_kind_is_one_sentence_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = ran(capsys, "hello", "--kinds", "bochs")
    assert status == 2
    assert err.count("\n") == 1


def counts(out: str) -> dict[str, object]:
    rows = json.loads(out)["kinds"]
    return {
        kind: {key: told for key, told in row.items() if key not in ("wall_s", "mips")} for kind, row in rows.items()
    }


def test_pebble_runs_under_all_kinds_at_once_and_counts_the_same_every_time(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("pebble", "--append", "run=hello", "--costs", "pentium4-2006", "--json")
    status, out, _ = ran(capsys, *words)
    told = json.loads(out)["kinds"]
    assert status == 0
    assert list(told) == list(kinds())
    assert {kind for kind, row in told.items() if row["own_build"]} == {"paravirt"}
    assert told["paravirt"]["image"] == "pebble-pv"
    assert told["hardware"]["acts"]["io"] == told["bare"]["traps"]["io"]
    for row in told.values():
        assert sum(row["ran"].values()) == row["instructions"]
        assert row["modelled_cycles"]["total"] == sum(row["modelled_cycles"]["parts"].values())
    assert counts(ran(capsys, *words)[1]) == counts(out)


def test_every_program_of_a_guest_is_compared_by_its_own_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("pebble-clean", "--every-program", "--kinds", "trap_emulate", "--max-instructions", "20000", "--json")
    status, out, _ = ran(capsys, *words)
    runs = json.loads(out)["runs"]
    assert status == 0
    assert tuple(runs) == guest_named("pebble-clean").runs
    assert all(list(kinds) == ["bare", "trap_emulate"] for kinds in runs.values())
    assert all(kinds["trap_emulate"]["instructions"] >= 20_000 for kinds in runs.values())


def test_a_guest_without_programs_is_told_which_have_some(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = ran(capsys, "hello", "--every-program")
    assert (status, err.count("\n")) == (2, 1)
    assert "hello names no programs" in err
    assert "pebble-clean" in err
    status, _, err = ran(capsys, "pebble", "--every-program", "--append", "run=primes")
    assert status == 2
    assert "--append" in err


def test_one_kind_alone_is_told_whole_with_progress(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = ran(capsys, "hole", "--only", "trap_emulate")
    found = JSON.validate_json(out)
    assert status == 0
    assert found.first_difference is not None
    assert found.account.instructions > 0
    assert err.splitlines()[0].endswith(" running")
