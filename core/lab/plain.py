"""Dataclasses of plain values to trees of JSON, and back by the types of their fields; nothing else is believed.

Bytes are written as hexadecimal, terms by their values, named tuples as lists. What a tree holds is held to the types,
field by field, before anything is made of it; whether the values make sense together is for others to judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum, EnumType
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from core.errors import LabError
from core.lab.acts import MEND

BOUND = 1 << 128  # of every number


def tree_of(value: Any) -> Any:
    """The value as JSON knows it."""
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: tree_of(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): tree_of(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [tree_of(each) for each in value]
    assert value is None or isinstance(value, (bool, int, str)), f"{type(value).__name__} is no plain value"
    return value


def value_of(kind: Any, tree: Any) -> Any:
    """The value of type `kind` that the tree holds; a LabError if it holds none."""
    try:
        return _read(kind, tree)
    except (_Other, ValueError):
        name = getattr(kind, "__name__", str(kind))
        raise LabError(f"The file says something of a {name} that cannot be.", MEND) from None


class _Other(Exception):
    """It is something else."""


@cache
def _types(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, tree: Any) -> Any:
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        wanted = [each for each in get_args(kind) if each is not NoneType]
        return None if tree is None else _read(wanted[0], tree)
    if kind in (bool, str):
        return _exactly(kind, tree)
    if kind is int:
        return _number(tree)
    if kind in (bytes, bytearray):
        return kind.fromhex(_exactly(str, tree))
    if isinstance(kind, EnumType):
        return kind(_exactly(type(next(iter(kind)).value), tree))
    if is_dataclass(kind) or hasattr(kind, "_fields"):
        return _record(kind, tree)
    if origin in (list, tuple):
        return _sequence(kind, origin, _exactly(list, tree))
    if origin is dict:
        (_, inner), entries = get_args(kind), _exactly(dict, tree)
        return {_key(name): _read(inner, each) for name, each in entries.items()}
    raise AssertionError(f"no plain type: {kind}")


def _exactly(kind: type, tree: Any) -> Any:
    if type(tree) is not kind:
        raise _Other
    return tree


def _number(tree: Any) -> int:
    number: int = _exactly(int, tree)
    if not -BOUND < number < BOUND:
        raise _Other
    return number


def _key(name: str) -> int:
    if str(number := int(name)) != name:
        raise _Other
    return number


def _record(kind: Any, tree: Any) -> Any:
    types = _types(kind)
    if not is_dataclass(kind):
        given = _exactly(list, tree)
        if len(given) != len(types):
            raise _Other
        return kind(*(_read(each, one) for each, one in zip(types.values(), given, strict=True)))
    names = [each.name for each in fields(kind)]
    if set(names) != set(_exactly(dict, tree)):
        raise _Other
    made: Any = kind
    return made(**{name: _read(types[name], tree[name]) for name in names})


def _sequence(kind: Any, origin: Any, given: list[Any]) -> Any:
    inner = get_args(kind)
    if origin is tuple and inner[-1] is not Ellipsis:
        if len(inner) != len(given):
            raise _Other
        return tuple(_read(each, one) for each, one in zip(inner, given, strict=True))
    return origin(_read(inner[0], each) for each in given)
