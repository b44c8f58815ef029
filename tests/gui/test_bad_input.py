"""What cannot be loaded is told in one sentence with its place, and the work in the window is untouched."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gui.conftest import Person

IMAGES: dict[str, tuple[str, bytes]] = {
    "truncated ELF": ("broken.elf", b"\x7fELF\x01\x01\x01" + bytes(20)),
    "64-bit ELF": ("wide.elf", b"\x7fELF\x02\x01\x01" + bytes(80)),
    "image larger than memory": ("large.bin", bytes(17 << 20)),
    "assembly with an error": ("wrong.s", b".globl _start\n_start:\n    mov eax, ,\n"),
}


@pytest.mark.parametrize("which", IMAGES)
def test_image_that_cannot_be_loaded_leaves_the_work_untouched(person: Person, tmp_path: Path, which: str) -> None:
    name, content = IMAGES[which]
    (tmp_path / name).write_bytes(content)
    person.step()
    before = person.sees
    person.window.program.open_file(str(tmp_path / name))
    person.wait(lambda: person.window.message.text)
    assert name in person.window.message.text
    assert person.window.program.guests.currentData() == "hello"
    assert person.sees == before
    person.step()
    assert person.sees.generation == before.generation
    assert person.sees.executed == before.executed + 1


def test_place_of_the_error_in_assembly_is_named(person: Person, tmp_path: Path) -> None:
    path = tmp_path / "wrong.s"
    path.write_text(".globl _start\n_start:\n    mov eax, ,\n", encoding="utf-8")
    person.window.program.open_file(str(path))
    person.wait(lambda: person.window.message.text)
    assert "wrong.s:3:14:" in person.window.message.text


def test_missing_file_and_unknown_kind_are_told(person: Person, tmp_path: Path) -> None:
    person.window.program.open_file(str(tmp_path / "nothing.elf"))
    person.wait(lambda: "nothing.elf" in person.window.message.text)
    person.engine.load("hello", "no_such_kind")
    person.wait(lambda: "no_such_kind" in person.window.message.text)
    person.step()


def test_a_refusal_is_put_away_by_the_next_step_that_succeeds(person: Person, tmp_path: Path) -> None:
    person.window.program.open_file(str(tmp_path / "nowhere.elf"))
    person.wait(lambda: person.window.message.text)
    person.step()
    assert not person.window.message.text
