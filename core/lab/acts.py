"""How what came from outside is written down: the name of an action and its plain values.

Bytes are written as hexadecimal, terms by their values. The actions are all those of `core.timeline.actions` (but a new
VM, and one that is put back, are written by `coding`). What a file says is held to the types of the action's fields
before the action is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum, EnumType
from functools import cache
from typing import Any, get_type_hints

from core.errors import LabError
from core.timeline import actions
from core.timeline.actions import Action

PLAIN: dict[str, type[Any]] = {
    name: kind
    for name, kind in vars(actions).items()
    if isinstance(kind, type)
    and is_dataclass(kind)
    and kind.__module__ == actions.__name__
    and kind not in (actions.AddVm, actions.RevertVm)
}
MEND = "It is damaged, or was changed: use another copy."
BOUND = 1 << 62  # of every number
Value = bool | int | str | None


def written(action: Action) -> dict[str, Value]:
    """Its values by name."""
    values = {each.name: getattr(action, each.name) for each in fields(action)}  # type: ignore[arg-type]
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Value:
    if isinstance(value, bytes):
        return value.hex()
    plain: Value = value.value if isinstance(value, Enum) else value
    return plain


def read(name: str, given: Mapping[str, Value]) -> Action:
    """The action of that name with these values; a LabError if there is none."""
    kind = PLAIN.get(name)
    if kind is None:
        raise LabError(f"The lab's journal has an entry “{name}” that this version does not know.", MEND)
    wanted = fields_of(name)
    if wanted.keys() != given.keys():
        raise LabError(f"The entry {name} of the lab's journal has other fields than it should.", MEND)
    action: Action = kind(**{field: _value(name, wanted[field], given[field]) for field in wanted})
    return action


@cache
def fields_of(name: str) -> dict[str, Any]:
    """The fields of an action by name, and their types."""
    return get_type_hints(PLAIN[name])


def _value(name: str, wanted: Any, value: Value) -> object:
    if isinstance(value, str) and (wanted is bytes or isinstance(wanted, EnumType)):
        try:
            return wanted(value) if isinstance(wanted, EnumType) else bytes.fromhex(value)
        except ValueError:
            pass
    elif isinstance(value, bool):
        if wanted is bool:
            return value
    elif isinstance(value, int):
        if wanted in (int, int | None) and -BOUND < value < BOUND:
            return value
    elif (isinstance(value, str) and wanted is str) or (value is None and wanted == (int | None)):
        return value
    raise LabError(f"An entry {name} of the lab's journal holds a value that it cannot have.", MEND)
