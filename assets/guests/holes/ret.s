# RET: Returns to a caller in another segment.
#
# A way back to ring 1 must not lead into code of ring 0: it must be refused.

.include "hole.inc"
.globl _start
_start:
    lgdt [gdt_register]
    expect_refusal
    push CODE | 1
    mov eax, offset after
    push eax
hole:
    retf
after:
    done

    note_refusal

.data
seen_refused: .long 0
