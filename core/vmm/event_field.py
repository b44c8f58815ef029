"""EVENTINJ and EXITINTINFO of a VMCB: an event in 64 bits, to be delivered at the next entry, or cut short by an exit.

Vector 7:0, type 10:8, "has an error code" 11, valid 31, the error code 63:32 (AMD APM vol. 2 §15.20, figure 15-4;
§15.7.2). A hypervisor whose guest left in the middle of a delivery copies the one into the other and enters again. CR2
of a page fault is no part of it: it stands in the save area.
"""

from __future__ import annotations

from enum import IntEnum

from core.cpu.delivery import Event, Origin
from core.cpu.faults import Vector

VALID, HAS_ERROR_CODE = 1 << 31, 1 << 11
TYPE_SHIFT, ERROR_CODE_SHIFT = 8, 32


class EventType(IntEnum):
    """Bits 10:8; other values are reserved."""

    INTERRUPT = 0
    NMI = 2
    EXCEPTION = 3
    SOFTWARE = 4


_TYPES = {
    Origin.EXTERNAL: EventType.INTERRUPT,
    Origin.EXCEPTION: EventType.EXCEPTION,
    Origin.SOFTWARE: EventType.SOFTWARE,
}
_ORIGINS = {kind: origin for origin, kind in _TYPES.items()} | {EventType.NMI: Origin.EXTERNAL}


def to_field(event: Event) -> int:
    """The field that says `event`."""
    kind = _TYPES[event.origin]
    if kind is EventType.INTERRUPT and event.vector == Vector.NMI:
        kind = EventType.NMI
    field = VALID | kind << TYPE_SHIFT | event.vector
    return field if event.error_code is None else field | HAS_ERROR_CODE | event.error_code << ERROR_CODE_SHIFT


def from_field(field: int) -> Event:
    """The event that a valid field says."""
    error_code = field >> ERROR_CODE_SHIFT if field & HAS_ERROR_CODE else None
    return Event(field & 0xFF, _ORIGINS[EventType(field >> TYPE_SHIFT & 7)], error_code)
