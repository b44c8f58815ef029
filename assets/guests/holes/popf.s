# POPF: Loads EFLAGS from the stack, the interrupt flag IF among them.
#
# A timer interrupt is pending while IF is 0. The guest sets IF with POPF; in ring 0 the interrupt comes at once. Outside
# it POPF leaves IF as it is, and says nothing.

.include "hole.inc"
.globl _start
_start:
    handle 0x20, timer_interrupt
    lidt [idt_register]
    mov esi, offset set_up
next:                           # pairs of port and value
    movzx edx, byte ptr [esi]
    mov al, [esi + 1]
    out dx, al
    add esi, 2
    cmp esi, offset set_up_end
    jb next
    mov ecx, 2000               # until the timer has rung for certain
wait:
    dec ecx
    jnz wait
    push IF | 2
hole:
    popfd
after:
    nop
    nop
    done

timer_interrupt:
    inc dword ptr [seen_interrupts]
    iretd

.data
set_up:                         # interrupt controller to vectors 0x20, the timer alone; the timer: once, soon
    .byte 0x20, 0x11, 0x21, 0x20, 0x21, 0x04, 0x21, 0x01, 0x21, 0xfe, 0x43, 0x30, 0x40, 10, 0x40, 0
set_up_end:
.balign 4
seen_interrupts: .long 0
