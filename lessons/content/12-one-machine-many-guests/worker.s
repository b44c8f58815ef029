# Worker: ten times it computes for a while, and then sleeps by HLT until its timer rings.
#
# It computes for two fifths of its time. What a machine does meanwhile that is its alone: nothing.

        .globl  _start

        .equ    EXIT, 0xF4
        .equ    TIMER_IRQ, 0x20         # the vector of IRQ 0, once the interrupt controller is told so
        .equ    PERIOD, 1193            # of the timer's 1.193182 MHz: a millisecond, or 100,000 instructions
        .equ    WORK, 20000             # rounds of two instructions

_start: mov     esp, 0x300000
        mov     eax, offset tick        # the gate of IRQ 0
        mov     [idt + TIMER_IRQ * 8], ax
        mov     [idt + TIMER_IRQ * 8 + 2], cs
        mov     word ptr [idt + TIMER_IRQ * 8 + 4], 0x8E00
        shr     eax, 16
        mov     [idt + TIMER_IRQ * 8 + 6], ax
        lidt    [idt_register]
        mov     esi, offset setup       # interrupt controller and timer: pairs of port and value
next:   movzx   edx, word ptr [esi]
        mov     al, [esi + 2]
        add     esi, 3
        out     dx, al
        cmp     esi, offset setup_end
        jb      next

        mov     ebx, 10
work:   mov     ecx, WORK
sum:    dec     ecx
        jnz     sum
sleep:  sti                             # nothing to do before the timer rings
        hlt
        cli
        dec     ebx
        jnz     work

        xor     al, al
        out     EXIT, al

tick:   mov     al, 0x20
        out     0x20, al
        iretd

        .data
setup:  .word   0x20
        .byte   0x11
        .word   0x21
        .byte   0x20
        .word   0x21
        .byte   4
        .word   0x21
        .byte   1
        .word   0x21
        .byte   0xFE                    # all but IRQ 0 masked
        .word   0x43
        .byte   0x34                    # channel 0: again and again
        .word   0x40
        .byte   PERIOD & 0xFF
        .word   0x40
        .byte   PERIOD >> 8
setup_end:
        .balign 8
idt:    .fill   (TIMER_IRQ + 1) * 8, 1, 0
idt_register:
        .word   (TIMER_IRQ + 1) * 8 - 1
        .long   idt
