"""Bytes by address: what is known, what has changed since the machine last stood still."""

from __future__ import annotations

from app.models.byte_window import ByteWindow
from core.looks import Ground, Piece, SeenBytes, Space, Span
from tests.app.builders import snapshot


def seen(start: int, *parts: bytes | Ground, space: Space = Space.LINEAR) -> SeenBytes:
    pieces, at = [], start
    for part in parts:
        if isinstance(part, bytes):
            pieces.append(Piece(at, len(part), Ground.RAM, part, at + 0x1000))
        else:
            pieces.append(Piece(at, 16, part))
        at += pieces[-1].size
    return SeenBytes(Span(space, start, at - start), start, tuple(pieces), None, 1, None)


def test_bytes_words_and_holes_are_found_by_their_address() -> None:
    window = ByteWindow()
    window.show(seen(0x100, b"\1\2\3\4" * 4, Ground.UNMAPPED), snapshot())
    assert window.byte(0x101) == 2
    assert window.word(0x100) == 0x0403_0201
    assert window.word(0x10E) is None
    assert window.byte(0x110) is None
    assert window.ground(0x110) is Ground.UNMAPPED
    assert window.ground(0x200) is None
    assert window.physical(0x102) == 0x1102


def test_what_another_step_changed_is_marked_until_the_next() -> None:
    window = ByteWindow()
    window.show(seen(0, b"abcd" * 4), snapshot(executed=1))
    window.show(seen(0, b"aXcd" * 4), snapshot(executed=2))
    assert [window.changed(n) for n in range(4)] == [False, True, False, False]
    window.show(seen(0, b"aXcd" * 4), snapshot(executed=2))
    assert window.changed(1)
    window.show(seen(0, b"aXcd" * 4), snapshot(executed=3))
    assert not window.changed(1)


def test_while_it_runs_the_marks_grow() -> None:
    window = ByteWindow()
    window.show(seen(0, b"abcd" * 4), snapshot(executed=1))
    window.show(seen(0, b"Xbcd" * 4), snapshot(executed=2, running=True))
    window.show(seen(0, b"XXcd" * 4), snapshot(executed=3, running=True))
    assert [window.changed(n) for n in range(3)] == [True, True, False]


def test_of_bytes_that_were_not_looked_at_before_nothing_is_said() -> None:
    window = ByteWindow()
    window.show(seen(0, b"a" * 16), snapshot(executed=1))
    window.show(seen(8, b"b" * 16), snapshot(executed=2))
    assert [window.changed(n) for n in (8, 15, 16)] == [True, True, False]
    window.show(seen(8, b"c" * 16, space=Space.HOST), snapshot(executed=3))
    assert not window.changed(8)


def test_the_bytes_of_another_vm_are_not_changes_of_this_one() -> None:
    window = ByteWindow()
    window.show(seen(0, b"a" * 16), snapshot(executed=1))
    window.show(seen(0, b"b" * 16), snapshot(executed=2, vm="B"))
    assert not window.changed(0)


def test_it_knows_what_it_covers() -> None:
    window = ByteWindow()
    window.show(seen(0xFFFF_FFF0, b"a" * 16), snapshot())
    assert window.covers(Space.LINEAR, 0xFFFF_FFF0, 400)
    assert not window.covers(Space.LINEAR, 0xFFFF_FFE0, 16)
    assert not window.covers(Space.HOST, 0xFFFF_FFF0, 16)
