# PUSHF: Pushes EFLAGS, the interrupt flag IF among them.
#
# The guest clears IF with CLI, which traps, and looks at it with PUSHF, which does not.

.include "hole.inc"
.globl _start
_start:
    cli
hole:
    pushfd
after:
    pop eax
    and eax, IF
    shr eax, 9
    see IF
    done

.data
seen_IF: .long 0
