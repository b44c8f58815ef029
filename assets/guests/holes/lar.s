# LAR: Loads the access rights of a segment, its privilege level among them.
#
# The guest asks for the privilege level of its own data segment, which its GDT says is 0.

.include "hole.inc"
.globl _start
_start:
    lgdt [gdt_register]
    mov ecx, DATA
hole:
    lar eax, ecx
after:
    shr eax, 13
    and eax, 3
    see privilege
    done

.data
seen_privilege: .long 0
