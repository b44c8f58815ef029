"""The kinds of VMM. Each module of this package that defines a `Vmm` with a `kind` adds one, by being here."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from core.errors import RequestError, UnknownName
from core.guests.image import Interface, Program
from core.layout import PARAVIRT_END
from core.vmm.vmm import Vmm


@lru_cache(maxsize=1)
def kinds() -> MappingProxyType[str, type[Vmm]]:
    """Every kind by its name, the simplest first."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    found = sorted((each for each in _descendants(Vmm) if each.kind), key=lambda each: each.order)
    return MappingProxyType({each.kind: each for each in found})


def kinds_for(interface: Interface = Interface.PC) -> MappingProxyType[str, type[Vmm]]:
    """The kinds that can run a guest written for `interface`."""
    return MappingProxyType({name: kind for name, kind in kinds().items() if kind.interface is interface})


def check_kind(kind: type[Vmm], program: Program) -> None:
    """A RequestError if a guest that was written as `program` was cannot run under `kind`."""
    if kind.interface is not program.interface:
        able = ", ".join(kinds_for(program.interface))
        raise RequestError(
            f"{program.name} was written for {program.interface.phrase}; {kind.title} offers {kind.interface.phrase}.",
            f"Choose a kind that can run it: {able}.",
        )
    check_place(program)


def check_place(program: Program) -> None:
    """A RequestError if a paravirtual image lies where its first page tables will."""
    lowest = min((segment.address for segment in program.segments), default=PARAVIRT_END)
    if program.interface is Interface.PARAVIRT and lowest < PARAVIRT_END:
        raise RequestError(
            f"{program.name} begins at {lowest:#x}, where a paravirtual VM has its first page tables.",
            f"Link it at {PARAVIRT_END:#x} or above.",
        )


def _descendants(kind: type[Any]) -> Iterator[type[Vmm]]:
    for each in kind.__subclasses__():
        yield each
        yield from _descendants(each)


def kind_named(name: str) -> type[Vmm]:
    """The kind of that name, or UnknownName listing those there are."""
    if name in (module.name for module in pkgutil.iter_modules(__path__)):  # spares the import of all the others
        importlib.import_module(f"{__name__}.{name}")
        for each in _descendants(Vmm):
            if each.kind == name:
                return each
    try:
        return kinds()[name]
    except KeyError:
        raise UnknownName(f"There is no kind of VMM named “{name}”.", f"Choose one of: {', '.join(kinds())}.") from None
