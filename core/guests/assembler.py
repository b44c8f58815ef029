"""Assembly source to a program, with errors that name file, line and column, and a map from source to addresses.

The assembler is LLVM's, in a child process (`assembler_child`). Before it sees the source, included files are put in
place and a `.loc` directive before each statement, from which LLVM makes the line table; its line numbers are turned
back into the person's. Syntax: Intel without prefixes unless the source chooses another; `#` begins a comment.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.errors import AssemblyError, ImageError
from core.guests import elf, linker
from core.guests.image import Program, SourceFile
from core.whole_file import read_whole

CHILD = Path(__file__).with_name("assembler_child.py")
PATIENCE = 30.0  # seconds after which the assembler is taken to hang
DEEPEST_INCLUDE = 16
LARGEST_SOURCE = 4 << 20

_ERROR = re.compile(r"^(?:error: )?<(inline asm|instantiation|stdin)>:(\d+):(\d+): (?:error: )?(.*)$", re.MULTILINE)
_INCLUDE = re.compile(r'^\s*\.include\s+"([^"]*)"')
_LABEL = re.compile(r"^\s*[A-Za-z_.$0-9][\w.$]*\s*:")
_ASSIGNMENT = re.compile(r"^[A-Za-z_.$][\w.$]*\s*=")
_MACRO, _END_MACRO = re.compile(r"^\s*\.macro\b"), re.compile(r"^\s*\.endm\b")


@dataclass(frozen=True, slots=True)
class _Line:
    """One line given to LLVM, and where it comes from; `file` is −1 for lines of our own."""

    text: str
    file: int
    number: int
    in_macro: bool = False


class _Source:
    """The lines for LLVM, with includes put in place and statements marked."""

    def __init__(self, name: str, text: str, folder: Path | None) -> None:
        self.files: list[SourceFile] = []
        self.lines: list[_Line] = [_Line(".intel_syntax noprefix", -1, 0)]
        self._folder = folder
        self._declared: list[_Line] = []
        self._add(name, text, 0)
        for index, file in enumerate(self.files):
            self.lines.insert(1 + index, _Line(f'.file {index + 1} "{_escaped(file.name)}"', -1, 0))

    def _add(self, name: str, text: str, depth: int) -> None:
        index = len(self.files)
        self.files.append(SourceFile(name, text))
        in_macro = in_comment = False
        for number, line in enumerate(text.splitlines(), 1):
            included = _INCLUDE.match(line)
            if included:
                self._include(included.group(1), f"{name}:{number}", depth)
                continue
            code, in_comment = _code_of(line, in_comment)
            in_macro = in_macro or bool(_MACRO.match(code))
            if not in_macro and _is_statement(code):
                self.lines.append(_Line(f".loc {index + 1} {number} 0", -1, 0))
            self.lines.append(_Line(line, index, number, in_macro))
            in_macro = in_macro and not _END_MACRO.match(code)

    def _include(self, wanted: str, place: str, depth: int) -> None:
        if depth >= DEEPEST_INCLUDE:
            raise AssemblyError("Includes are nested too deeply.", "Does a file include itself?", place)
        path = self._folder / wanted if self._folder is not None else None
        if path is None or not path.is_file():
            raise AssemblyError(f"There is no file “{wanted}” to include.", "Put it beside the source.", place)
        self._add(wanted, read_source(path), depth + 1)

    def place(self, line: int, column: int) -> str:
        """`file:line:column` of a place in the text given to LLVM."""
        found = self.lines[line - 1] if 0 < line <= len(self.lines) else None
        if found is None or found.file < 0:
            return self.files[0].name
        return f"{self.files[found.file].name}:{found.number}:{column}"

    def place_of_use(self, symbol: str) -> str:
        """Where `symbol` is first used."""
        word = re.compile(rf"(?<![\w.$]){re.escape(symbol)}(?![\w.$])")
        for each in self.lines:
            found = word.search(_code_of(each.text, False)[0]) if each.file >= 0 else None
            if found:
                return f"{self.files[each.file].name}:{each.number}:{found.start() + 1}"
        return self.files[0].name

    def place_in_macro(self, line: int, column: int, shown: str) -> str:
        """The same for a place in a macro's expansion, of which LLVM shows line number and text."""
        first = shown.split()[:1]
        bodies: list[_Line] = []
        for each in self.lines:
            if _MACRO.match(each.text):
                bodies = []
            elif each.in_macro:
                bodies.append(each)
                if len(bodies) == line and each.text.split()[:1] == first:
                    return f"{self.files[each.file].name}:{each.number}:{column}"
        return self.files[0].name


def _escaped(name: str) -> str:
    return name.replace("\\", "/").replace('"', "'")


def _code_of(line: str, in_comment: bool) -> tuple[str, bool]:
    """`line` without comments and strings' contents; the second value tells whether a /* is left open."""
    out, at, quoted = [], 0, False
    while at < len(line):
        two = line[at : at + 2]
        if in_comment:
            in_comment, at = two != "*/", at + (2 if two == "*/" else 1)
        elif quoted:
            quoted = line[at] != '"'
            at += 2 if line[at] == "\\" else 1
        elif two == "/*":
            in_comment, at = True, at + 2
        elif line[at] == "#" or two == "//":
            break
        else:
            quoted = line[at] == '"'
            out.append(line[at])
            at += 1
    return "".join(out), in_comment


def _is_statement(code: str) -> bool:
    """An instruction or a macro's use, as opposed to a label, a directive or an assignment."""
    rest = code
    while found := _LABEL.match(rest):
        rest = rest[found.end() :]
    rest = rest.strip()
    return bool(rest) and not rest.startswith(".") and not _ASSIGNMENT.match(rest)


def assemble_to_elf(name: str, text: str, folder: Path | None = None) -> tuple[bytes, tuple[SourceFile, ...]]:
    """A linked ELF32 executable of the source `text` called `name`, whose includes lie in `folder`; and all sources."""
    source = _Source(name, text, folder)
    return _assembled("\n".join(line.text for line in source.lines), source), tuple(source.files)


def _assembled(given: str, source: _Source) -> bytes:
    try:
        return _run(given)
    except _Refused as refused:
        raise _explained(refused.output, source) from None
    except linker.UndefinedSymbol as undefined:
        raise AssemblyError(
            f"The symbol “{undefined.name}” is used but never defined.",
            "Define it, or correct its spelling.",
            source.place_of_use(undefined.name),
        ) from None
    except linker.DoesNotFit as narrow:
        raise AssemblyError(
            f"An address (in “{narrow.name or 'a section'}”) is used where only {8 * narrow.width} bits fit.",
            "Put it into a register first: LLVM makes `push offset x` a byte; write `mov eax, offset x`, `push eax`.",
            source.files[0].name,
        ) from None


_NO_X86 = ("don't have an asm parser for this target", "No available targets")  # llvmlite offers the host's parser only


class _Refused(Exception):
    def __init__(self, output: str) -> None:
        super().__init__(output)
        self.output = output


@lru_cache(maxsize=64)
def _run(given: str) -> bytes:
    text = given.encode(errors="replace")  # the source's name may be no text
    command = [sys.executable, "-I", str(CHILD)]
    try:
        done = subprocess.run(command, input=text, capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise _Refused("") from None
    if done.returncode != 0 or not done.stdout:
        raise _Refused(done.stderr.decode(errors="replace"))
    return linker.link(done.stdout)


def _explained(output: str, source: _Source) -> AssemblyError:
    found = _ERROR.search(output)
    if any(words in output for words in _NO_X86):
        return AssemblyError(
            "LLVM, as it comes for this computer's processor, cannot assemble x86.",
            "Assemble it on an x86 computer (ringside assemble), and open the ELF file here.",
            source.files[0].name,
        )
    if found is None:
        detail = output.strip().splitlines()[-1] if output.strip() else "it gave no answer"
        return AssemblyError(
            f"The assembler failed: {detail}.", "Simplify the source to find the line.", source.files[0].name
        )
    where, line, column, message = found.group(1), int(found.group(2)), int(found.group(3)), found.group(4)
    after = output[found.end() :].splitlines()
    shown = after[1].strip() if len(after) > 1 else ""
    if where == "instantiation":
        place = source.place_in_macro(line, column, shown)
    else:
        place = source.place(line, column)
    return AssemblyError(
        f"{message[0].upper()}{message[1:].rstrip('!. ')}{f': “{shown}”' if shown else ''}.",
        "Correct that line.",
        place,
    )


def assemble(text: str, name: str = "guest.s", folder: Path | None = None) -> Program:
    """The source `text` as a program."""
    image, sources = assemble_to_elf(name, text, folder)
    try:
        return elf.load_elf(image, Path(name).stem, name, sources)
    except ImageError as error:
        raise AssemblyError(error.problem, error.mend, name) from None


def assemble_file(path: Path) -> Program:
    """The source file at `path` as a program."""
    return assemble(read_source(path), path.name, path.parent)


def read_source(path: Path) -> str:
    """The text of a source file; an AssemblyError if it cannot be read as text."""
    try:
        text = read_whole(path, LARGEST_SOURCE).decode()
        return text.replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise AssemblyError(
            f"The source is not UTF-8 text (byte {error.start}).", "Save it as UTF-8.", str(path)
        ) from None
    except OSError as error:
        raise AssemblyError(f"The source cannot be read: {error.strerror}.", "Check the path.", str(path)) from None
