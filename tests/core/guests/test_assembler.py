"""Assembly source to a program: addresses, relocations, the map of lines, and errors that name their place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import AssemblyError
from core.guests import assembler
from core.guests.assembler import assemble, assemble_file, assemble_to_elf
from core.guests.elf import load_elf
from core.guests.image import Interface
from core.guests.linker import BASE


def code_of(text: str) -> bytes:
    return assemble(text).segments[0].data


def test_intel_syntax_and_at_t_syntax_both_assemble() -> None:
    assert code_of("mov eax, 5") == code_of(".att_syntax\nmovl $5, %eax") == bytes.fromhex("b805000000")


def test_the_entry_is_start_wherever_it_stands_and_else_the_first_instruction() -> None:
    assert assemble("nop\n_start: hlt").entry == BASE + 1
    assert assemble("nop\nhlt").entry == BASE


def test_addresses_across_sections_are_filled_in() -> None:
    program = assemble("mov eax, [value]\n.data\nvalue: .long 7\nat: .long value")
    assert program.segments[0].data == b"\xa1" + program.symbols["value"].to_bytes(4, "little")
    assert program.segments[1].data[4:8] == program.symbols["value"].to_bytes(4, "little")


def test_a_relative_call_into_another_section_reaches_it() -> None:
    program = assemble('call there\n.section .other, "ax"\nthere: ret')
    offset = int.from_bytes(program.segments[0].data[1:5], "little", signed=True)
    assert BASE + 5 + offset == program.symbols["there"]


def test_bss_takes_memory_and_no_bytes() -> None:
    program = assemble("nop\n.bss\n.skip 5000")
    assert (program.segments[1].data, program.segments[1].size) == (b"", 5000)


def test_every_statement_is_mapped_to_its_line() -> None:
    program = assemble("# comment\n\nstart: nop\n  mov eax, 1 # more\n.byte 0x90\nagain:\n jmp again\n", "g.s")
    assert dict(program.lines) == {BASE: ("g.s", 3), BASE + 1: ("g.s", 4), BASE + 7: ("g.s", 7)}
    assert program.line_at(BASE + 3) == ("g.s", 4)
    assert program.addresses_of("g.s", 7) == [BASE + 7]


def test_a_macros_code_belongs_to_the_line_that_uses_it() -> None:
    program = assemble(".macro twice\n nop\n nop\n.endm\n twice\n hlt\n", "g.s")
    assert program.line_at(BASE + 1) == ("g.s", 5)
    assert program.line_at(BASE + 2) == ("g.s", 6)


def test_comment_signs_in_strings_are_not_comments() -> None:
    assert code_of('.ascii "a#b//c/*d"') == b"a#b//c/*d"


def test_nothing_in_a_block_comment_is_code() -> None:
    program = assemble("nop\n/* mov eax, 1\n nop */\nhlt\n", "g.s")
    assert program.segments[0].data == b"\x90\xf4"
    assert program.line_at(BASE + 1) == ("g.s", 4)


def test_an_included_file_keeps_its_own_name_and_lines(tmp_path: Path) -> None:
    (tmp_path / "part.inc").write_text("\nhlt\n")
    (tmp_path / "main.s").write_text('nop\n.include "part.inc"\nnop\n')
    program = assemble_file(tmp_path / "main.s")
    assert dict(program.lines) == {BASE: ("main.s", 1), BASE + 1: ("part.inc", 2), BASE + 2: ("main.s", 3)}
    assert [source.name for source in program.sources] == ["main.s", "part.inc"]


ERRORS = [
    ("an unknown mnemonic", "nop\n  frobnicate eax\n", "g.s:2:3", "frobnicate"),
    ("a broken operand", "mov eax, [\n", "g.s:1:11", "expression"),
    ("in a macro", ".macro m x\n nop\n bogus \\x\n.endm\n m 3\n", "g.s:3:2", "bogus"),
    ("an undefined symbol", "nop\n jmp nowhere\n", "g.s:2:6", "nowhere"),
    ("a symbol defined twice", "a: nop\na: nop\n", "g.s:2:", "a"),
    ("a missing include", 'nop\n.include "no.inc"\n', "g.s:2", "no.inc"),
    ("a directive that does not exist", ".frob 1\n", "g.s:1:1", "directive"),
]


@pytest.mark.parametrize(("why", "text", "place", "word"), ERRORS, ids=[row[0] for row in ERRORS])
def test_an_error_names_its_place_and_says_what_is_wrong(why: str, text: str, place: str, word: str) -> None:
    with pytest.raises(AssemblyError) as caught:
        assemble(text, "g.s")
    assert caught.value.place.startswith(place)
    assert word in caught.value.problem
    assert "\n" not in str(caught.value)


def test_an_error_in_an_included_file_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "part.inc").write_text("nop\nbad eax\n")
    (tmp_path / "main.s").write_text('.include "part.inc"\n')
    with pytest.raises(AssemblyError) as caught:
        assemble_file(tmp_path / "main.s")
    assert caught.value.place.startswith("part.inc:2:1")


def test_a_file_that_includes_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "main.s").write_text('.include "main.s"\n')
    with pytest.raises(AssemblyError, match="nested"):
        assemble_file(tmp_path / "main.s")


def test_source_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "main.s").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AssemblyError, match="UTF-8"):
        assemble_file(tmp_path / "main.s")


def test_an_assembled_image_can_be_written_and_loaded_again() -> None:
    text = "_start: mov eax, [x]\n hlt\n.data\nx: .long 1\n.bss\n.skip 64\n"
    image, _sources = assemble_to_elf("g.s", text)
    first, again = assemble(text, "g.s"), load_elf(image, "g", "g.elf")
    assert (again.entry, again.segments, again.symbols, again.lines) == (
        first.entry, first.segments, first.symbols, first.lines,
    )  # fmt: skip


@given(st.text(alphabet='.:"#\\/*,[]+- \tabemovx01\n', max_size=60))
def test_any_text_assembles_or_is_refused_with_one_sentence(text: str) -> None:
    try:
        assemble(text, "g.s")
    except AssemblyError as error:
        said = str(error)
    else:
        said = ""
    assert "\n" not in said


def test_an_address_outside_the_image_has_no_line() -> None:
    program = assemble("nop\nnop\n", "g.s")
    assert program.line_at(BASE + 1) == ("g.s", 2)
    assert program.line_at(0x4000_0000) is None
    assert program.line_at(BASE - 1) is None


@pytest.mark.parametrize("triple", ["aarch64-unknown-none-elf", "no-such-processor"])
def test_an_llvm_that_cannot_assemble_for_the_guest_says_so_in_words(
    triple: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a host that is not x86: there llvmlite offers no parser for x86, here none for ARM."""
    child = tmp_path / "child.py"
    child.write_text(assembler.CHILD.read_text("utf-8").replace("i386-unknown-none-elf", triple), "utf-8")
    monkeypatch.setattr(assembler, "CHILD", child)
    with pytest.raises(AssemblyError, match="cannot assemble x86"):
        assemble(f"nop # {triple}")


def test_a_note_says_that_the_guest_is_for_a_hypervisor_that_it_can_call() -> None:
    note = '.section .note.ringside, "a", @note\n.long 9, 4, 0x100\n.asciz "Ringside"\n.balign 4\n.long 1\n.text\nnop'
    assert assemble(note).interface is Interface.PARAVIRT
    assert assemble(note.replace("0x100", "0x101")).interface is Interface.PC
    assert assemble("nop").interface is Interface.PC
