"""Reading lessons: TOML and Markdown in a folder, every fault told with file, line, field and mend."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from core.errors import LessonError, UnknownName
from lessons import positions
from lessons.acts import ACT_KEYS
from lessons.format import Lesson
from lessons.predicates import PREDICATE_KEYS

CONTENT = Path(__file__).resolve().parent / "content"
LESSON_FILE = "lesson.toml"

# pydantic's kinds of error, as the end of a sentence that begins with the field, and what to do; {…} is its context
_WORDS = {
    "missing": ("is missing", "Add it."),
    "string_type": ("must be text", "Put it in quotes."),
    "int_type": ("must be a whole number", "Write it in digits, without quotes."),
    "bool_type": ("must be true or false", "Write it without quotes."),
    "tuple_type": ("must be a list", "Put it in square brackets."),
    "model_type": ("must be a table", "Write it as {{ key = value }}."),
    "model_attributes_type": ("must be a table", "Write it as {{ key = value }}."),
    "dict_type": ("must be a table", "Write it as {{ key = value }}."),
    "greater_than_equal": ("is too small", "The least is {ge}."),
    "less_than_equal": ("is too large", "The greatest is {le}."),
    "too_short": ("has too few entries", "It needs {min_length} or more."),
    "too_long": ("has too many entries", "It may have {max_length}."),
    "string_too_short": ("is empty", "Write something."),
    "string_pattern_mismatch": ("is not of the right form", "It must look like {pattern}."),
    "literal_error": ("has a value it cannot have", "Use {expected}."),
}


def lesson_folders(content: Path = CONTENT) -> list[Path]:
    """The folders of the lessons in `content`, in the order of their numbers."""
    return sorted(file.parent for file in content.glob(f"*/{LESSON_FILE}"))


def find_lesson(name_or_path: str) -> Path:
    """The folder of a shipped lesson by name ("01-four-rings"), or of any lesson by path (of folder or file)."""
    shipped = {folder.name: folder for folder in lesson_folders()}
    if name_or_path in shipped:
        return shipped[name_or_path]
    path = Path(name_or_path)
    if path.name == LESSON_FILE and path.is_file():
        return path.parent
    if (path / LESSON_FILE).is_file():
        return path
    raise UnknownName(
        f"There is no lesson “{name_or_path}”.",
        f"Name a folder with a {LESSON_FILE} in it, or one of: {', '.join(shipped)}.",
    )


def load_lesson(folder: Path) -> Lesson:
    """The lesson in `folder`; a `LessonError` names the place of its first fault."""
    file = folder / LESSON_FILE
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise LessonError(f"The lesson cannot be read: {error.strerror}.", "Check the path.", str(file)) from None
    except UnicodeDecodeError:
        raise LessonError("The lesson is not UTF-8.", "Save it as UTF-8.", str(file)) from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(error, text, file) from None
    try:
        lesson = Lesson.model_validate(data, context={"folder": folder.resolve()})
    except ValidationError as error:
        raise _first_fault(error, data, text, file) from None
    return lesson.model_copy(update={"name": folder.resolve().name, "folder": folder.resolve()})


def _not_toml(error: tomllib.TOMLDecodeError, text: str, file: Path) -> LessonError:
    """The parser's own message, which ends in "(at line 3, column 5)" or "(at end of document)"."""
    words, _, place = str(error).rpartition(" (at ")
    numbers = [part for part in place.rstrip(")").replace(",", "").split() if part.isdigit()]
    where = ":".join(numbers) if numbers else str(text.count("\n") + 1)
    return LessonError(f"This is not TOML: {words[:1].lower()}{words[1:]}.", "Mend the text there.", f"{file}:{where}")


def _first_fault(error: ValidationError, data: dict[str, Any], text: str, file: Path) -> LessonError:
    """The fault that stands first in the file; the others are seen when it is mended."""
    lines = positions.lines_of(text)
    found = error.errors(include_url=False)
    # a list with a faulty element is also called too short: that is no fault of its own
    inner = {details["loc"][:depth] for details in found for depth in range(len(details["loc"]))}
    faults = [_fault(details, data, lines, file) for details in found if details["loc"] not in inner]
    return min(faults, key=lambda fault: fault[0])[1]


def _fault(
    details: ErrorDetails, data: dict[str, Any], lines: dict[positions.Path, int], file: Path
) -> tuple[int, LessonError]:
    path, value = _path_in(data, details["loc"])
    context = details.get("ctx", {})
    field = positions.spelled(path) or "lesson"
    place = ""
    match details["type"]:
        case "unknown_field":
            path = (*path, context["field"])
            problem = f"The field {positions.spelled(path)} is unknown."
            mend = f"Remove it, or use one of: {context['known']}."
        case "lesson_rule":
            problem, mend, place = f"The field {field} {context['problem']}.", context["mend"], context["place"]
        case "union_tag_not_found" | "union_tag_invalid":
            what, keys = ("an act", ACT_KEYS) if "solution" in path else ("a predicate", PREDICATE_KEYS)
            given = f" ({', '.join(map(str, value))})" if isinstance(value, dict) and value else ""
            problem, mend = f"The field {field} is not {what}{given}.", f"It needs one of: {', '.join(keys)}."
        case kind if kind in _WORDS:
            problem, mend = _WORDS[kind]
            problem, mend = f"The field {field} {problem}.", mend.format(**context)
        case _:
            problem, mend = f"The field {field} is wrong: {details['msg']}.", "Correct it."
    line = positions.line_of(lines, path)
    return line, LessonError(problem, mend, place or f"{file}:{line}")


def _path_in(data: Any, loc: tuple[int | str, ...]) -> tuple[positions.Path, Any]:
    """Where in the file pydantic's location is, and what stands there. The tags of unions are no part of the file."""
    path: list[str | int] = []
    for position, part in enumerate(loc):
        here = data.get(part, ...) if isinstance(data, dict) else ...
        if isinstance(data, list) and isinstance(part, int) and part < len(data):
            here = data[part]
        if here is not ...:
            data = here
            path.append(part)
        elif position == len(loc) - 1 and isinstance(part, str) and isinstance(data, dict) and part.islower():
            path.append(part)  # the name of a missing field
    return tuple(path), data
