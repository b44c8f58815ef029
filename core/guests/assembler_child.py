"""LLVM's assembler in a process of its own: assembly on standard input, an ELF32 object on standard output.

LLVM ends the process that gives it a syntax error, with the error on standard error; so it never runs in ours. Started
as a script, by path, so that nothing but llvmlite is imported. Each input line is one line to the assembler, so its
line numbers are the input's.
"""

from __future__ import annotations

import sys

import llvmlite.binding as llvm


def _as_module(assembly: str) -> str:
    lines = ['target triple = "i386-unknown-none-elf"']
    for line in assembly.split("\n"):
        plain = line.replace("\\", "\\5C").replace('"', "\\22").replace("\t", "\\09")
        plain = "".join(c if 32 <= ord(c) < 127 else "".join(f"\\{b:02X}" for b in c.encode()) for c in plain)
        lines.append(f'module asm "{plain}"')
    return "\n".join(lines)


def main() -> None:
    """Assemble standard input."""
    assembly = sys.stdin.buffer.read().decode()
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    llvm.initialize_native_asmparser()
    target = llvm.Target.from_triple("i386-unknown-none-elf").create_target_machine(reloc="static")
    module = llvm.parse_assembly(_as_module(assembly))
    sys.stdout.buffer.write(target.emit_object(module))


if __name__ == "__main__":
    main()
