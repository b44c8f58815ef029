"""The table of prices, read from its file: every generation, every class of work, every figure with its source.

The shipped table is `assets/costs.toml`; a person's own may stand in its place. What is wrong in it is told by its name
in the file; a table that lacks a class of work is refused, since a sum that leaves something out would mislead.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.costs import CostModel, Known, Price, Work
from core.errors import CostError, UnknownName
from core.whole_file import read_whole

SHIPPED = Path(str(resources.files("assets"))) / "costs.toml"
Words = Annotated[str, Field(min_length=1)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    cycles: Annotated[int, Field(ge=0, le=10**9, strict=True)]
    known: Known
    cpu: Words
    source: Words


class _Generation(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    title: Words
    price: dict[Work, _Row]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    generation: Annotated[list[_Generation], Field(min_length=1)]


LARGEST = 1 << 20


def load_costs(path: Path = SHIPPED) -> tuple[CostModel, ...]:
    """The generations of the table at `path`, in its order; a CostError says what is wrong with it, and where."""
    place = str(path)
    try:
        table = _Table.model_validate(tomllib.loads(read_whole(path, LARGEST).decode()))
    except OSError as error:
        raise CostError(f"The table of costs cannot be read: {error.strerror}.", "Check the path.", place) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CostError(f"The table of costs is no TOML: {error}.", "Mend it there.", place) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "[key]")
        raise CostError(f"In the table of costs, {where}: {first['msg']}.", "Mend it there.", place) from None
    return tuple(_model(each, place) for each in table.generation)


def model_named(name: str) -> CostModel:
    """The shipped generation of that name, or UnknownName listing those there are."""
    models = {model.name: model for model in load_costs()}
    if name not in models:
        raise UnknownName(f"There are no costs of “{name}”.", f"Choose one of: {', '.join(models)}.")
    return models[name]


def _model(generation: _Generation, place: str) -> CostModel:
    missing = [work.value for work in Work if work not in generation.price]
    if missing:
        raise CostError(
            f"In the table of costs, {generation.name} has no price of {', '.join(missing)}.", "Add the rows.", place
        )
    prices = {work: Price(work, row.cycles, row.known, row.cpu, row.source) for work, row in generation.price.items()}
    return CostModel(generation.name, generation.title, prices)
