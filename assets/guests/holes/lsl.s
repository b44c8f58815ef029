# LSL: Loads the limit of a segment, if the asker may use that segment.
#
# A kernel checks so whether a selector that a caller from ring 1 has given it is one the caller may use. Its own data
# segment belongs to ring 0 and is not.

.include "hole.inc"
.globl _start
_start:
    lgdt [gdt_register]
    mov ecx, DATA | 1           # requested in the name of ring 1
hole:
    lsl eax, ecx
after:
    setz al
    movzx eax, al
    see allowed
    done

.data
seen_allowed: .long 0
