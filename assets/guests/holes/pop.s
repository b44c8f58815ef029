# POP: Loads a segment register from the stack.
#
# A selector that asks in the name of ring 1 (its low bits) for a segment of ring 0 must be refused.

.include "hole.inc"
.globl _start
_start:
    lgdt [gdt_register]
    expect_refusal
    push DATA | 1
hole:
    .byte 0x07                  # pop es, of 32 bits (LLVM would make it one of 16)
after:
    done

    note_refusal

.data
seen_refused: .long 0
