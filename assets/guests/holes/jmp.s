# JMP: Jumps to another code segment.
#
# A selector that asks in the name of ring 1 (its low bits) for code of ring 0 must be refused.

.include "hole.inc"
.globl _start
_start:
    lgdt [gdt_register]
    expect_refusal
hole:
    jmp fword ptr [target]
after:
    done

    note_refusal

.data
target:
    .long after
    .word CODE | 1
.balign 4
seen_refused: .long 0
