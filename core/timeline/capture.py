"""The state of the lab's own objects (monitors, devices, interposers, the hypervisor), whatever fields they have.

Objects of the lab keep their identity: what refers to them still does after a restore. Their attributes, and plain
values in these (numbers, texts, containers, dataclasses compared by value), are copied out and put back; values that
cannot change are shared. Since every attribute is taken, a new field cannot be forgotten; what must not be taken is
named by its class in `NOT_STATE`, and what follows from the rest is made anew in `restored`. The copy lives in this
process only; it is never read from a file.
"""

from __future__ import annotations

import ctypes
import io
import pickle
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from types import BuiltinMethodType, FunctionType, MethodType
from typing import Any

import numpy as np
import numpy.typing as npt

NOT_STATE = "NOT_STATE"  # class attribute: names of attributes that belong to the caller of the moment
RESTORED = "restored"  # method: makes anew what follows from the rest
SPARSE_BYTES = 1 << 15  # arrays of so many bytes are mostly zero
_WIRING = (FunctionType, MethodType, BuiltinMethodType, memoryview)


@dataclass(frozen=True, slots=True)
class Captured:
    """`data`: the attributes of each of `objects`, in order; `shared`: what they refer to and do not own."""

    objects: tuple[object, ...]
    shared: tuple[object, ...]
    data: bytes


def capture(root: object, opaque: tuple[type, ...]) -> Captured:
    """The state of `root` and of every object of the lab that it reaches; those of a class in `opaque` keep their own
    state and are only referred to."""
    out = io.BytesIO()
    pickler = _Pickler(out, opaque)
    pickler.refer(root)
    done = 0
    while done < len(pickler.objects):
        pickler.dump(attributes(pickler.objects[done]))
        done += 1
    return Captured(tuple(pickler.objects), tuple(pickler.shared), out.getvalue())


def restore(captured: Captured) -> None:
    """Put it all back."""
    unpickler = _Unpickler(io.BytesIO(captured.data), captured.shared)
    for each in captured.objects:
        saved = unpickler.load()
        for name in attributes(each).keys() - saved.keys():
            delattr(each, name)
        for name, value in saved.items():
            held = getattr(each, name, None)
            if isinstance(value, np.ndarray) and isinstance(held, np.ndarray) and held.shape == value.shape:
                held[:] = value  # others may know where it is
            else:
                setattr(each, name, value)
    for each in captured.objects:
        restored = getattr(each, RESTORED, None)
        if restored is not None:
            restored()


def is_live(each: object) -> bool:
    """Is it an object of the lab with an identity, rather than a value?"""
    kind: Any = type(each)
    return _lives(kind)


@cache
def _lives(kind: type) -> bool:
    if not kind.__module__.startswith("core.") or issubclass(kind, (Enum, tuple, type, ctypes.Structure)):
        return False
    return not is_dataclass(kind) or (kind.__eq__ is object.__eq__ and not _is_frozen(kind))


def attributes(each: object) -> dict[str, Any]:
    """What is saved of it, by name."""
    found = dict(getattr(each, "__dict__", {}))
    for kind in type(each).__mro__:
        for name in kind.__dict__.get("__slots__", ()):
            if hasattr(each, name):
                found[name] = getattr(each, name)
    for name in getattr(each, NOT_STATE, ()):
        found.pop(name, None)
    return found


def is_wiring(each: object) -> bool:
    """Is it wiring rather than a value?"""
    return isinstance(each, _WIRING)


def is_constant(each: object) -> bool:
    """A frozen dataclass: shared rather than copied."""
    kind: Any = type(each)
    return _is_frozen(kind)


@cache
def _is_frozen(kind: type) -> bool:
    parameters = getattr(kind, "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()


def _held_by(each: object) -> list[object]:
    """The objects of the lab that a callable or a constant holds."""
    held: list[object] = []
    if isinstance(each, (MethodType, BuiltinMethodType)):
        held = [each.__self__]
    elif isinstance(each, FunctionType):
        held = [cell.cell_contents for cell in each.__closure__ or ()]
    elif is_constant(each):
        kind: Any = type(each)
        held = [getattr(each, name) for name in _names(kind)]
    return [inner for inner in held if is_live(inner)]


def shared_value(index: int) -> object:
    """Stands in the data for `Captured.shared[index]`."""
    raise AssertionError(f"only a marker, for {index}")


def unpacked(shape: tuple[int, ...], dtype: str, used: bytes, values: bytes) -> npt.NDArray[Any]:
    """A large array, of which only what is not zero was kept."""
    array = np.zeros(shape, dtype)
    array.flat[np.frombuffer(used, np.uint32)] = np.frombuffer(values, dtype)
    return array


class _Pickler(pickle.Pickler):
    def __init__(self, out: io.BytesIO, opaque: tuple[type, ...]) -> None:
        super().__init__(out, protocol=pickle.HIGHEST_PROTOCOL)
        self._opaque = opaque
        self._index: dict[int, int] = {}
        self.objects: list[object] = []
        self.shared: list[object] = []

    def refer(self, each: object) -> int:
        """Its place in `shared`; an object of the lab is also put on the list of those to be saved."""
        index = self._index.get(id(each))
        if index is None:
            index = self._index[id(each)] = len(self.shared)
            self.shared.append(each)
            if is_live(each) and not isinstance(each, self._opaque):
                self.objects.append(each)
        return index

    def reducer_override(self, each: Any) -> Any:
        if isinstance(each, np.ndarray) and each.nbytes >= SPARSE_BYTES:
            used = np.flatnonzero(each)
            return unpacked, (each.shape, each.dtype.str, used.astype(np.uint32).tobytes(), each.flat[used].tobytes())
        if each is shared_value:
            return NotImplemented
        if is_live(each) or isinstance(each, (*_WIRING, *self._opaque, ctypes.Structure)) or is_constant(each):
            for inner in _held_by(each):
                self.refer(inner)
            return shared_value, (self.refer(each),)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: io.BytesIO, shared: tuple[object, ...]) -> None:
        super().__init__(data)
        self._value: Callable[[int], object] = shared.__getitem__

    def find_class(self, module: str, name: str) -> Any:
        if name == "shared_value" and module == __name__:
            return self._value
        return super().find_class(module, name)
