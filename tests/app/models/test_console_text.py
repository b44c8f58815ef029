"""Serial output made readable: however it is cut into pieces, the text is the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.models.console_text import LONGEST_LINE, MOST_AT_ONCE, ConsoleText
from tests.app.builders import snapshot


def test_line_ends_of_every_sort_are_one_line_end() -> None:
    assert ConsoleText().decode(b"a\r\nb\nc\rd") == "a\nb\nc\nd"


def test_control_characters_are_shown_as_signs() -> None:
    assert ConsoleText().decode(b"\x00\x1b[1m\x7f\ttab") == "␀␛[1m␡\ttab"


def test_bytes_that_are_no_text_are_shown_as_numbers() -> None:
    assert ConsoleText().decode(b"\xff!") == "\\xff!"


@given(st.text(alphabet="ab\r\né€\x00", max_size=40), st.lists(st.integers(1, 5), max_size=20))
def test_pieces_give_the_same_text_as_the_whole(text: str, cuts: list[int]) -> None:
    data, pieces, whole = text.encode(), ConsoleText(), ConsoleText()
    shown = ""
    for cut in cuts:
        shown += pieces.decode(data[:cut])
        data = data[cut:]
    shown += pieces.decode(data + b".")
    assert shown == whole.decode(text.encode() + b".")


def test_increments_are_taken_once() -> None:
    console = ConsoleText()
    assert console.take(snapshot(console=b"he", console_length=2)) == "he"
    assert console.take(snapshot(console=b"he", console_length=2)) == ""
    assert console.take(snapshot(console=b"llo", console_length=5)) == "llo"


def test_what_was_missed_is_said() -> None:
    console = ConsoleText()
    assert console.take(snapshot(console=b"!", console_length=1001)) == "\n[1,000 bytes not shown]\n!"


def test_flood_is_cut_to_its_newest_part() -> None:
    flood = b"x" * MOST_AT_ONCE + b"\nend"
    text = ConsoleText().take(snapshot(console=flood, console_length=len(flood)))
    assert text.startswith("\n[4 bytes not shown]")
    assert text.endswith("\nend")


@given(st.lists(st.integers(1, 3 * LONGEST_LINE), min_size=1, max_size=5))
def test_no_line_is_endless(sizes: list[int]) -> None:
    console = ConsoleText()
    text = "".join(console.decode(b"x" * size) for size in sizes)
    assert max(len(line) for line in text.split("\n")) <= LONGEST_LINE
    assert text.replace("\n", "") == "x" * sum(sizes)
