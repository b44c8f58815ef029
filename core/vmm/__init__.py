"""The kinds of VMM. Each module of this package that defines a `Vmm` with a `kind` adds one, by being here."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from core.errors import UnknownName
from core.vmm.vmm import Vmm


@lru_cache(maxsize=1)
def kinds() -> MappingProxyType[str, type[Vmm]]:
    """Every kind by its name, the simplest first."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    found = sorted((each for each in _descendants(Vmm) if each.kind), key=lambda each: each.order)
    return MappingProxyType({each.kind: each for each in found})


def _descendants(kind: type[Any]) -> Iterator[type[Vmm]]:
    for each in kind.__subclasses__():
        yield each
        yield from _descendants(each)


def kind_named(name: str) -> type[Vmm]:
    """The kind of that name, or UnknownName listing those there are."""
    try:
        return kinds()[name]
    except KeyError:
        raise UnknownName(f"There is no kind of VMM named “{name}”.", f"Choose one of: {', '.join(kinds())}.") from None
