"""`ringside figure` as the window calls it: the same counts at every repetition."""

from __future__ import annotations

import pytest

from app.__main__ import main
from core.nanobenchmarks import JSON, NAMES


def test_one_kind_alone_is_told_whole_and_the_same_every_time(capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for _ in range(2):
        assert main(["figure", "--only", "bare"]) == 0
        told.append(JSON.validate_json(capsys.readouterr().out))
    assert told[0] == told[1]
    assert tuple(each.name for each in told[0].results) == NAMES
