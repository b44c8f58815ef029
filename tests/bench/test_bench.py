"""The benchmarks run and answer in the shape that was promised; no time is asserted."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.__main__ import main
from app.cli import bench
from core.errors import RequestError
from core.events import Cause
from tests.bench.departures import causes
from tests.bench.measure import Benchmark, Effort
from tests.bench.suite import SUITE

QUICK = Effort(repeats=2, instructions=100_000)


@pytest.mark.parametrize("benchmark", SUITE, ids=lambda benchmark: benchmark.__name__)
def test_each_gives_the_figures_it_promises(benchmark: Benchmark, qtbot: QtBot) -> None:
    figures = benchmark(QUICK)
    assert tuple(figures) == SUITE[benchmark]
    for name, figure in figures.items():
        assert figure.value > 0, name
        assert figure.unit in ("MIPS", "µs", "ms", "k/s", "MB", "%", "exits", "exits/s", "B")
        assert (figure.ratio is None) == (figure.of is None)
        assert figure.ratio is None or math.isfinite(figure.ratio)


@pytest.mark.parametrize(
    ("loop", "expected"),
    [
        ("privileged", {Cause.PRIVILEGED}),
        ("io", {Cause.IO}),
        ("system_call", {Cause.SYSTEM_CALL, Cause.PRIVILEGED}),
        ("fault", {Cause.FAULT, Cause.PRIVILEGED}),
        ("page_fault", {Cause.PAGE_FAULT_TRUE, Cause.PRIVILEGED}),
        ("remap", {Cause.TRACE, Cause.PAGE_FAULT_HIDDEN, Cause.PRIVILEGED}),
        ("interrupt", {Cause.INTERRUPT, Cause.HALT, Cause.PRIVILEGED, Cause.IO}),
    ],
)
def test_each_loop_departs_for_the_causes_it_is_named_for(loop: str, expected: set[Cause]) -> None:
    assert causes(loop) == expected


def test_the_names_offered_are_those_of_the_suite() -> None:
    assert tuple(name for figures in SUITE.values() for name in figures) == bench.NAMES


def test_json_is_what_scripts_rely_on(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    suite = bench.load_suite()
    monkeypatch.setattr(suite, "Effort", lambda: suite.measure and QUICK)
    assert main(["bench", "--json", "trap.median", "run.count"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert list(figures) == ["run.count", "trap.median"]
    for figure in figures.values():
        assert list(figure) == ["value", "unit", "ratio", "of"]
    assert figures["run.count"]["of"] == "run.raw"


def test_an_installed_ringside_says_where_the_benchmarks_are(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="repository"):
        bench.load_suite(tmp_path)
