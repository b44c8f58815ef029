# SIDT: Stores the base and limit of the IDT.
#
# The guest loads a table of its own with LIDT, which traps, and then asks where its table is, which does not. Programs
# in ring 3 may ask as well: "Red Pill" told by it in one instruction whether it ran in a virtual machine.

.include "hole.inc"
.globl _start
_start:
    lidt [idt_register]
hole:
    sidt [stored]
after:
    mov eax, [stored + 2]
    see base
    done

.data
stored: .skip 6
.balign 4
seen_base: .long 0
