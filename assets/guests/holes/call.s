# CALL: Calls a routine in another segment, and pushes CS as the way back.
#
# The CS that it leaves on the stack has the ring in its low two bits. The guest's kernel belongs in ring 0.

.include "hole.inc"
.globl _start
_start:
    lgdt [gdt_register]
hole:
    call fword ptr [routine]
after:
    done

return:
    mov eax, [esp + 4]          # CS, as CALL has pushed it
    see CS
    jmp after

.data
routine:
    .long return
    .word CODE
.balign 4
seen_CS: .long 0
