# SGDT: Stores the base and limit of the GDT.
#
# The guest loads a table of its own with LGDT, which traps, and then asks where its table is, which does not.

.include "hole.inc"
.globl _start
_start:
    lgdt [gdt_register]
hole:
    sgdt [stored]
after:
    mov eax, [stored + 2]
    see base
    done

.bss
.balign 4096                    # away from the GDT: a write to its page traps, whatever instruction writes
stored: .skip 6
.data
.balign 4
seen_base: .long 0
