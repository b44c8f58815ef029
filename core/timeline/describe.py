"""The fields of the lab's objects in a form that can be compared, wherever the objects lie in memory.

A replay makes some objects anew (the blocks of a translation cache, the VMM of a VM that was reset), so two moments are
equal if their objects have equal fields and refer to one another alike. An object is named by the first way on which it
is reached; what the lab does not own is named by its type.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.timeline.capture import attributes, is_constant, is_live, is_wiring

Plain = (int, float, str, bytes, bool, type(None))
PLAIN_TYPES = frozenset(Plain)


def describe(name: str, root: object, opaque: tuple[type, ...]) -> dict[str, object]:
    """Every field of `root` and of all objects that it reaches, by its place; objects of a class in `opaque` are only
    named."""
    return _Description(opaque).of(name, root)


class _Description:
    def __init__(self, opaque: tuple[type, ...]) -> None:
        self._opaque = opaque
        self._names: dict[int, str] = {}
        self._waiting: deque[tuple[str, object]] = deque()

    def of(self, name: str, root: object) -> dict[str, object]:
        found: dict[str, object] = {}
        self._refer(name, root)
        while self._waiting:
            place, each = self._waiting.popleft()
            for attribute, value in attributes(each).items():
                found[f"{place}.{attribute}"] = self._plain(f"{place}.{attribute}", value)
        return found

    def _refer(self, place: str, each: object) -> str:
        known = self._names.get(id(each))
        if known is None:
            known = self._names[id(each)] = place
            self._waiting.append((place, each))
        return f"the {type(each).__name__} at {known}"

    def _plain(self, place: str, value: Any) -> object:
        if isinstance(value, Plain):
            return value
        if isinstance(value, np.ndarray):
            return elements(value)
        if isinstance(value, self._opaque) or is_wiring(value):
            return f"a {type(value).__name__}"
        if is_live(value):
            return self._refer(place, value)
        if isinstance(value, (tuple, list)) and PLAIN_TYPES.issuperset(map(type, value)):
            return value.copy() if isinstance(value, list) else value
        if isinstance(value, (set, frozenset)):  # equal ones may list their members in different orders
            ordered = sorted(value, key=_sign)
            return "set", [self._plain(f"{place}{{{n}}}", each) for n, each in enumerate(ordered)]
        if isinstance(value, Mapping):
            return [
                (self._plain(f"{place}/{n}", key), self._plain(f"{place}[{_sign(key)}]", each))
                for n, (key, each) in enumerate(value.items())
            ]
        if isinstance(value, (tuple, list, deque)):
            return [self._plain(f"{place}[{n}]", each) for n, each in enumerate(value)]
        if isinstance(value, bytearray):
            return bytes(value)
        if is_dataclass(value) and not isinstance(value, type):
            if is_constant(value) and _is_big(value):
                return id(value)
            return [
                (each.name, self._plain(f"{place}.{each.name}", getattr(value, each.name))) for each in fields(value)
            ]
        return repr(value)


def elements(array: npt.NDArray[Any]) -> tuple[object, ...]:
    """What is not 0 in it and where, as a hash: a large array is mostly empty, and thousands of moments are kept."""
    used = np.flatnonzero(array)
    digest = hashlib.blake2b(used.tobytes(), digest_size=16)
    digest.update(array.reshape(-1)[used].tobytes())
    return array.dtype.str, array.shape, digest.digest()


def _is_big(value: object) -> bool:
    """A guest's program or disk: given once, and shared by whoever names it."""
    return type(value).__module__.startswith(("core.guests", "core.devices.disk_image"))


def _sign(value: object) -> str:
    """Something to sort by: the value, or of an object what is plain in it."""
    if is_live(value):
        return repr([(name, each) for name, each in attributes(value).items() if isinstance(each, Plain)])
    return repr(value)
