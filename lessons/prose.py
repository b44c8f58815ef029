"""The words of a lesson: Markdown in the file or beside it, and, in explanations, values read from the machine.

A link to ``view:registers/IF`` points at a view and, behind the slash, at a place in it. A value stands in braces:
``{executed}``, ``{register:IF.real}``, ``{traps:privileged}``, ``{trap:privileged.pc}``; a brace that is meant as such
is doubled, as in Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from string import Formatter
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo

from core.events import Cause, Trap
from core.narration import of_trap
from core.translations import percent
from lessons.hosting_predicates import busy
from lessons.laboratory import Evidence
from lessons.names import COUNTERS, REGISTER_NAMES, WAYS, lesson_folder, view_name
from lessons.part import broken_rule, one_of
from lessons.traps import ring_number

_VIEW_LINK = re.compile(r"\]\(view:([^/)]*)(?:/([^)]*))?\)")
NO_VALUE = "(not on this machine)"

_PLAIN: dict[str, Callable[[Evidence], str]] = {
    "console": lambda evidence: evidence.console.strip(),
    "executed": lambda evidence: f"{evidence.snapshot.executed:,}",
    "ring": lambda evidence: ring_number(evidence.snapshot.ring),
    "believed": lambda evidence: ring_number(evidence.snapshot.believed),
    "pc": lambda evidence: f"{evidence.snapshot.pc:#010x}",
    "guest": lambda evidence: evidence.program.name,
    "kind": lambda evidence: evidence.snapshot.kind,
    "end": lambda evidence: evidence.snapshot.end.sentence if evidence.snapshot.end else "It has not ended.",
    "traps": lambda evidence: f"{evidence.snapshot.trap_count:,}",
    "time": lambda evidence: f"{evidence.snapshot.time:,}",
    "machine_time": lambda evidence: f"{evidence.snapshot.machine_time:,}",
    "busy": lambda evidence: percent(busy(evidence.snapshot)),
}
_TRAP_FIELDS: dict[str, Callable[[Trap], str]] = {
    "told": of_trap,
    "pc": lambda trap: f"{trap.pc:#010x}",
    "instruction": lambda trap: trap.instruction,
    "handler": lambda trap: trap.handler,
    "outcome": lambda trap: trap.outcome,
    "time": lambda trap: str(trap.time),
    "ring_from": lambda trap: ring_number(trap.ring_from),
    "believed": lambda trap: ring_number(trap.believed),
    "ring_to": lambda trap: ring_number(trap.ring_to),
    "ring_after": lambda trap: ring_number(trap.ring_after),
}
_SIDES = ("image", "snapshot")
_COUNTS = ("pages", "of_pages", "sectors", "of_sectors")
_CAUSES = {cause.value: cause for cause in Cause}
KNOWN = (
    *_PLAIN,
    "traps:CAUSE",
    "trap:CAUSE.FIELD",
    "register:NAME.believed",
    "register:NAME.real",
    "symbol:LABEL",
    "ran:WAY",
    "counter:NAME",
    "diverged:image.pages",
)


def filled(template: str, evidence: Evidence) -> str:
    """The template with the machine's values in it."""
    words = ""
    for literal, name, detail, _ in Formatter().parse(template):
        words += literal
        if name is not None:
            words += _value(name, detail or "", evidence)
    return words


def _value(name: str, detail: str, evidence: Evidence) -> str:
    match name:
        case "traps" if detail:
            return f"{evidence.count(_CAUSES[detail]):,}"
        case "trap":
            cause, _, field = detail.partition(".")
            last = next((trap for trap in reversed(evidence.snapshot.traps) if trap.cause.value == cause), None)
            return _TRAP_FIELDS[field](last) if last else NO_VALUE
        case "register":
            register, _, side = detail.partition(".")
            reading = evidence.reading(register)
            return reading.spelled(reading.believed if side == "believed" else reading.real) if reading else NO_VALUE
        case "ran":
            ran = evidence.cache.ran if evidence.cache is not None else None
            return percent(ran.share(detail) / 100) if ran is not None else NO_VALUE
        case "counter":
            return str(getattr(evidence.cache.counters, detail)) if evidence.cache is not None else NO_VALUE
        case "diverged":
            other, _, count = detail.partition(".")
            found = evidence.diverged(other)
            return f"{getattr(found, count):,}" if found is not None else NO_VALUE
        case "symbol":
            address = evidence.program.symbols.get(detail)
            return f"{address:#010x}" if address is not None else NO_VALUE
        case _:
            return _PLAIN[name](evidence)


def _fault_of(name: str, detail: str, conversion: str | None) -> str | None:
    """Why this is no placeholder, as a mend; None if it is one."""
    match name:
        case _ if conversion:
            return "Leave out the exclamation mark."
        case "traps" if detail:
            return None if detail in _CAUSES else one_of(_CAUSES)
        case "trap":
            cause, _, field = detail.partition(".")
            return one_of(_CAUSES) if cause not in _CAUSES else None if field in _TRAP_FIELDS else one_of(_TRAP_FIELDS)
        case "diverged":
            other, _, count = detail.partition(".")
            return one_of(_SIDES) if other not in _SIDES else None if count in _COUNTS else one_of(_COUNTS)
        case "register":
            register, _, side = detail.partition(".")
            if register.upper() not in REGISTER_NAMES:
                return one_of(REGISTER_NAMES)
            return None if side in ("believed", "real") else "End it in .believed or .real."
        case "symbol" if detail:
            return None
        case "ran":
            return None if detail in WAYS else one_of(WAYS)
        case "counter":
            return None if detail in COUNTERS else one_of(COUNTERS)
        case _ if name in _PLAIN and not detail:
            return None
    return f"{one_of(f'{{{known}}}' for known in KNOWN)} Double the braces if they are meant as such."


def pointers(text: str) -> list[tuple[str, str | None]]:
    """The views that links in `text` point at, with the place in each (None: the view as a whole)."""
    return [(link[1], link[2] or None) for link in _VIEW_LINK.finditer(text)]


def faulty_placeholders(template: str) -> Iterator[tuple[str, str, int]]:
    """Each placeholder that cannot be filled, why, and the line of the template (from 1) at which it stands."""
    line = 1
    try:
        for literal, name, detail, conversion in Formatter().parse(template):
            line += literal.count("\n")
            if name is not None and (mend := _fault_of(name, detail or "", conversion)):
                yield f"{{{name}{':' if detail else ''}{detail or ''}}}", mend, line
    except ValueError as error:
        yield "{", f"{str(error).capitalize()}: double a brace that is meant as such.", line


def _read(value: str, info: ValidationInfo) -> tuple[str, str]:
    """The prose itself and the file it stands in, "" if in the lesson file."""
    text, file = _text_and_file(value, info)
    for view, _ in pointers(text):
        view_name(view)
    return text, file


def _text_and_file(value: str, info: ValidationInfo) -> tuple[str, str]:
    if "\n" in value or not value.endswith(".md"):
        return value, ""
    file = lesson_folder(info) / value
    if not file.is_file():
        raise broken_rule(f"names a text “{value}” that is not in the lesson's folder", "Put it there.")
    try:
        return file.read_text(encoding="utf-8"), str(file)
    except UnicodeDecodeError:
        raise broken_rule(f"names a text “{value}” that is not UTF-8", "Save it as UTF-8.") from None


def _words(value: str, info: ValidationInfo) -> str:
    return _read(value, info)[0]


def _template(value: str, info: ValidationInfo) -> str:
    text, file = _read(value, info)
    for placeholder, mend, line in faulty_placeholders(text):
        problem = f"has a placeholder {placeholder} that cannot be filled"
        raise broken_rule(problem, mend, f"{file}:{line}" if file else "")
    return text


Prose = Annotated[str, AfterValidator(_words)]  # Markdown, or the name of a .md file in the lesson's folder
Explanation = Annotated[str, AfterValidator(_template)]  # the same, with values of the machine in braces
