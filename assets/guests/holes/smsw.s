# SMSW: Stores the low half of CR0.
#
# The guest clears the TS bit with CLTS, which traps, and reads it back with SMSW, which does not (MOV from CR0 would).

.include "hole.inc"
.globl _start
_start:
    clts
hole:
    smsw eax
after:
    and eax, TS
    shr eax, 3
    see TS
    done

.data
seen_TS: .long 0
