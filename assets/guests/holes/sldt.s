# SLDT: Stores the selector of the LDT.
#
# The guest loads LDTR, which traps, and reads it back, which does not. What it sees depends on what its monitor keeps in
# the real LDTR.

.include "hole.inc"
.globl _start
_start:
    lgdt [gdt_register]
    mov ax, LDT
    lldt ax
hole:
    sldt eax
after:
    see selector
    done

.data
seen_selector: .long 0
