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
    pop es
after:
    done

    note_refusal

.data
seen_refused: .long 0
