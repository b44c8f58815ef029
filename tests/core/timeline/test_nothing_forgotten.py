"""No state of the lab is outside a checkpoint: what it only refers to cannot change; what is left out is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum

import numpy as np
import pytest

from core.devices.disk_image import DiskImage
from core.guests.catalog import load_program
from core.guests.image import Program
from core.session import Session
from core.timeline.capture import attributes, capture, is_live, is_wiring
from core.timeline.checkpoint import OPAQUE
from core.translator.cache import CodeCache
from tests.core.test_session import each_kind

# of classes of the lab, what belongs to whoever runs the machine, and what a checkpoint keeps in another way
LEFT_OUT = {
    "Interposer": {
        "looked_for",
        "stops_here",
        "stops_at_new_code",
        "stops_at_moves",
        "ring_left",
        "stopped_by_find",
        "_found",
        "_until_time",
        "_settled",
    },
    "Hypervisor": {"_looked_for"},
    "CodeCache": {"entries", "_mapped", "_mapped_asking", "_sites"},  # made anew from the blocks
    "GuestCpu": {"_control_seen", "_walks_by"},
    "GuestPhysicalMemory": {"_walks"},  # each is checked before it is believed
    "Vm": {"ring", "console", "breakpoints", "in_sight"},
}
SHARED_FOR_GOOD = (Program, DiskImage)  # given by the person, changed by nobody


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session()
    yield session
    session.close()


def changeable(value: object, arrays: set[int]) -> Iterator[str]:
    """What could change in a value that checkpoints share."""
    if is_wiring(value) or isinstance(value, (*OPAQUE, *SHARED_FOR_GOOD, Enum, type)) or is_live(value):
        return
    if isinstance(value, np.ndarray):
        if id(value) not in arrays:  # else it is saved where it is an attribute, and put back in place
            yield "an array"
    elif isinstance(value, (list, dict, set, bytearray)):
        yield type(value).__name__
    elif isinstance(value, (tuple, frozenset)):
        for each in value:
            yield from changeable(each, arrays)
    elif is_dataclass(value):
        for field in fields(value):
            for what in changeable(getattr(value, field.name), arrays):
                yield f"{type(value).__name__}.{field.name}: {what}"


@each_kind
def test_what_a_checkpoint_only_refers_to_cannot_change(session: Session, kind: str) -> None:
    session.load(load_program("pebble-clean"), kind, command_line="run=hello")
    session.run(300_000)
    captured = capture(session.hypervisor, OPAQUE)
    arrays = {
        id(value) for each in captured.objects for value in attributes(each).values() if isinstance(value, np.ndarray)
    }
    arrays |= {id(each.entries) for each in captured.objects if isinstance(each, CodeCache)}  # in place as well
    assert [what for shared in captured.shared for what in changeable(shared, arrays)] == []


@each_kind
def test_what_is_left_out_of_checkpoints_is_known(session: Session, kind: str) -> None:
    session.load(load_program("pebble-clean"), kind, command_line="run=hello")
    session.run(300_000)
    for each in capture(session.hypervisor, OPAQUE).objects:
        left_out = set(getattr(each, "NOT_STATE", ()))
        known = [LEFT_OUT[kind.__name__] for kind in type(each).__mro__ if kind.__name__ in LEFT_OUT]
        assert left_out == set().union(*known), type(each).__name__
