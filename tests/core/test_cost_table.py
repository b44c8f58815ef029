"""The table of costs: whole as shipped, refused by name where it is not, and added up by what was done."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.cost_table import SHIPPED, load_costs
from core.costs import Known, Part, Work
from core.errors import CostError
from core.guests.catalog import load_program
from core.session import Session
from core.vmm import kinds_for


def test_the_shipped_table_prices_every_work_in_every_generation_with_its_source() -> None:
    models = load_costs()
    assert [model.name for model in models] == ["pentium4-2006", "sandy-bridge-2011"]
    for model in models:
        assert set(model.prices) == set(Work)
        assert all(price.source.endswith(".") and price.cpu for price in model.prices.values())


def test_a_computed_figure_follows_from_the_rows_it_names() -> None:
    prices = load_costs()[0].prices
    assert prices[Work.EMULATION].known is Known.COMPUTED
    assert prices[Work.FAULT].cycles + prices[Work.EMULATION].cycles == 2030  # RDTSC by trap-and-emulate
    assert prices[Work.PAGE_FAULT].cycles + prices[Work.SHADOW_FILL].cycles == 3927  # pgfault by binary translation


def test_a_departure_costs_the_sum_of_its_work() -> None:
    model = load_costs()[0]
    assert model.cycles((Work.FAULT, Work.EMULATION)) == 2030
    assert model.cycles(()) == 0


def test_cycles_are_told_apart_by_what_they_went_to() -> None:
    parts = load_costs()[0].by_part({Work.INSTRUCTION: 500, Work.FAULT: 2, Work.PAGE_FAULT: 1, Work.EXIT: 0})
    assert parts == {Part.DIRECT: 500, Part.TRAPPING: 2 * 889 + 1093}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("cycles = 889", "cycles = -1", "generation.0.price.fault.cycles"),
        ('known = "recalled"', 'known = "hearsay"', "generation.0.price.fault.known"),
        ("fault = {", "fright = {", "generation.0.price.fright"),
        ("[[generation]]", "[[generation]", "no TOML"),
        ('title = "Pentium 4, 2006"', "", "generation.0.title"),
    ],
)
def test_a_table_with_a_mistake_is_refused_by_the_name_of_the_place(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    mistaken = tmp_path / "costs.toml"
    mistaken.write_text(SHIPPED.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(CostError) as refused:
        load_costs(mistaken)
    assert said in refused.value.problem
    assert refused.value.place == str(mistaken)


def test_a_table_that_leaves_work_out_is_refused(tmp_path: Path) -> None:
    lines = SHIPPED.read_text("utf-8").splitlines()
    shorter = tmp_path / "costs.toml"
    shorter.write_text("\n".join(line for line in lines if not line.startswith("hypercall =")), "utf-8")
    with pytest.raises(CostError, match="no price of hypercall"):
        load_costs(shorter)


def test_a_table_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CostError, match="cannot be read"):
        load_costs(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("kind", list(kinds_for()))
@pytest.mark.parametrize("guest", ["rings", "privileged"])
def test_every_kind_says_of_what_work_its_departures_are_made(kind: str, guest: str) -> None:
    session = Session(recording=False)
    session.load(load_program(guest), kind)
    session.run(100_000)
    assert session.traps.count > 0
    assert set(session.traps.causes) <= set(kinds_for()[kind].work)
    session.close()
