"""Every action can be written down and read again, and nothing that is not one."""

from __future__ import annotations

import pytest

from core.errors import LabError
from core.lab import acts
from core.timeline import actions
from core.translations import Switch

SOME = {str: "A", bytes: b"\x00ab", bool: True, int: 7, int | None: None, Switch: Switch.AHEAD}


@pytest.mark.parametrize("name", sorted(acts.PLAIN))
def test_an_action_is_read_as_it_was_written(name: str) -> None:
    action = acts.PLAIN[name](**{field: SOME[wanted] for field, wanted in acts.fields_of(name).items()})
    assert acts.read(name, acts.written(action)) == action


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("AddVm", {}),
        ("Format", {}),
        ("dataclass", {}),
        ("SerialInput", {"vm": "A"}),
        ("SerialInput", {"vm": "A", "data": "61", "more": 1}),
        ("SerialInput", {"vm": "A", "data": "6"}),
        ("SerialInput", {"vm": "A", "data": 6}),
        ("SerialInput", {"vm": 1, "data": "61"}),
        ("SetWeight", {"vm": "A", "weight": True}),
        ("SetWeight", {"vm": "A", "weight": 1 << 70}),
        ("PauseVm", {"vm": "A", "paused": 1}),
        ("SetCap", {"vm": "A", "cap": "7"}),
        ("SetTranslation", {"vm": "A", "switch": "__class__", "on": True}),
        ("SetTranslation", {"vm": "A", "switch": 1, "on": True}),
    ],
)
def test_what_is_no_action_is_refused(name: str, given: dict[str, acts.Value]) -> None:
    with pytest.raises(LabError, match="journal"):
        acts.read(name, given)


def test_there_are_actions() -> None:
    assert actions.SerialInput in acts.PLAIN.values()
    assert actions.AddVm not in acts.PLAIN.values()
