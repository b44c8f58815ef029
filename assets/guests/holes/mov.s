# MOV: Reads a segment register, and with CS the ring.
#
# The low two bits of CS are the ring that the CPU is in. The guest's kernel belongs in ring 0.

.include "hole.inc"
.globl _start
_start:
    nop                         # the first instruction of a page may cause a hidden fault
hole:
    mov eax, cs
after:
    see CS
    done

.data
seen_CS: .long 0
