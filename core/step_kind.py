"""How far a step goes, and to what one can run on."""

from __future__ import annotations

from enum import Enum


class StepKind(Enum):
    """How far to step; `value` names it, `phrase` is for people."""

    LINE_INTO = ("line-into", "to the next line, into functions that have source")
    LINE_OVER = ("line-over", "to the next line of this function, or of its caller")
    LINE_OUT = ("line-out", "until this function has returned; code in line counts as a function")
    OVER = ("over", "one instruction; a CALL, INT or REP until it has come back")
    OUT = ("out", "until this function has returned")

    def __new__(cls, value: str, phrase: str) -> StepKind:
        member = object.__new__(cls)
        member._value_ = value
        return member

    def __init__(self, _value: str, phrase: str) -> None:
        self.phrase = phrase


class OnTo(Enum):
    """What running on looks for; `value` is for people."""

    DEPARTURE = "departure"
    WORLD_SWITCH = "world switch"
    RING_CHANGE = "change of ring"
