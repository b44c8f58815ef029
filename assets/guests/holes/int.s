# INT: Calls a handler through the IDT, and pushes CS and EFLAGS as the way back.
#
# The handler looks at the CS that was pushed for it: its low two bits are the ring that the guest came from.

.include "hole.inc"
.globl _start
_start:
    handle 0x30, handler
    lidt [idt_register]
hole:
    int 0x30
after:
    done

handler:
    mov eax, [esp + 4]
    see CS
    iretd

.data
seen_CS: .long 0
