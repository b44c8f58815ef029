"""Every key of a TOML document is found, at the line where it stands."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessons.positions import Path, line_of, lines_of, spelled

DOCUMENT = """\
title = "A"        # line 1
claims = [8, 9,
          10]
minutes.low = 5

[[step]]
title = '''
many # not a comment
lines = "not a key"'''
check = [
    { traps = { cause = "privileged", "at most" = 2 } },  # a ] in a comment
    { register = "IF", real = 1 },
]

[[step]]
title = "b"
  [step.act]
  text = \"""say \\"\""" here\"""
  [[step.act.solution]]
  step = 3
  [[step.act.solution]]
  run = true

[[step]]
title = "c"
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 1),
        (("claims",), 2),
        (("claims", 1), 2),
        (("claims", 2), 3),
        (("minutes", "low"), 4),
        (("step", 0), 6),
        (("step", 0, "title"), 7),
        (("step", 0, "check"), 10),
        (("step", 0, "check", 0, "traps", "at most"), 11),
        (("step", 0, "check", 1, "real"), 12),
        (("step", 1), 15),
        (("step", 1, "act"), 17),
        (("step", 1, "act", "text"), 18),
        (("step", 1, "act", "solution", 0, "step"), 20),
        (("step", 1, "act", "solution", 1), 21),
        (("step", 1, "act", "solution", 1, "run"), 22),
        (("step", 2), 24),
        (("step", 2, "title"), 25),
    ],
)
def test_a_key_is_found_at_its_line(path: Path, line: int) -> None:
    assert lines_of(DOCUMENT)[path] == line


def test_a_missing_key_is_placed_at_the_table_that_lacks_it() -> None:
    lines = lines_of(DOCUMENT)
    assert line_of(lines, ("step", 2, "check", 4)) == 24
    assert line_of(lines, ("nowhere",)) == 1


def test_windows_line_ends_count_as_one_line() -> None:
    assert lines_of('a = 1\r\n[t]\r\nb = """x\r\ny"""\r\nc = 2\r\n')[("t", "c")] == 5


def test_paths_are_spelled_as_people_count() -> None:
    assert spelled(("step", 0, "check", 1, "cause")) == "step[1].check[2].cause"


# -- any document: the keys the scanner finds are exactly those the parser finds

KEYS = st.text("abAB09_- .#=[]\"'é", min_size=1, max_size=4)
TEXTS = st.text("ab #=[]{},.\"'\\\n", max_size=8)
SCALARS = st.one_of(st.integers(-99, 99), st.booleans(), TEXTS, st.sampled_from([1.5, float("inf")]))
INLINE = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)
TABLES = st.dictionaries(KEYS, INLINE, max_size=3)
DOCUMENTS = st.tuples(
    TABLES, st.dictionaries(KEYS, st.one_of(TABLES, st.lists(TABLES, min_size=1, max_size=3)), max_size=3)
)


def paths(value: Any, path: Path = ()) -> set[Path]:
    found = {path} if path else set()
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found.union(*(paths(inner, (*path, key)) for key, inner in items))


def written(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            if "\n" in value and "'''" not in value and not value.endswith("'"):
                return f"'''\n{value}'''"
            return json.dumps(value, ensure_ascii=False)
        case list():
            return "[ # of ]\n" + ",\n".join(map(written, value)) + " ]"
        case dict():
            return "{ " + ", ".join(f"{key_written(key)} = {written(inner)}" for key, inner in value.items()) + " }"
        case _:
            return str(value)


def key_written(key: str) -> str:
    return (
        key
        if key.isascii() and key.replace("-", "a").replace("_", "a").isalnum()
        else json.dumps(key, ensure_ascii=False)
    )


def table_written(header: str, table: dict[str, Any]) -> str:
    return header + "".join(f"{key_written(key)} = {written(value)} # = '\n" for key, value in table.items())


@given(DOCUMENTS)
def test_the_keys_found_are_those_the_parser_finds(document: tuple[dict[str, Any], dict[str, Any]]) -> None:
    top, tables = document
    text = table_written("", top)
    for key, table in tables.items():
        if key in top:
            continue
        if isinstance(table, list):
            text += "".join(table_written(f"[[ {key_written(key)} ]]\n", element) for element in table)
        else:
            text += table_written(f"[{key_written(key)}]\n", table)
    assert lines_of(text).keys() == paths(tomllib.loads(text))
