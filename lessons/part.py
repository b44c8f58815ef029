"""The base of everything a lesson file may contain, and how its rules are told to the person who broke one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError


def broken_rule(problem: str, mend: str, place: str = "") -> PydanticCustomError:
    """A rule of the format that a lesson breaks; `problem` goes on after the field's name ("… asks nothing")."""
    return PydanticCustomError("lesson_rule", "{problem}. {mend}", {"problem": problem, "mend": mend, "place": place})


def one_of(names: Iterable[str]) -> str:
    """The names as a mend: ``Use one of: a, b, c.``"""
    return f"Use one of: {', '.join(names)}."


class Part(BaseModel):
    """A table of a lesson file: immutable, strictly typed, unknown fields refused with the known ones named."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    @classmethod
    def fields(cls) -> list[str]:
        """The names that may stand in the file. Fields marked `exclude` are the loader's, not the file's."""
        return [info.alias or name for name, info in cls.model_fields.items() if not info.exclude]

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_fields(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for name in data:
                if name not in cls.fields():
                    known = ", ".join(cls.fields())
                    raise PydanticCustomError("unknown_field", "unknown field", {"field": name, "known": known})
        return data
