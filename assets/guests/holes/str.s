# STR: Stores the selector of the TSS.
#
# The guest loads the task register, which traps, and reads it back, which does not.

.include "hole.inc"
.globl _start
_start:
    lgdt [gdt_register]
    mov ax, TSS
    ltr ax
hole:
    str eax
after:
    see selector
    done

.data
seen_selector: .long 0
