# Alone: a kernel that wants to be undisturbed for a moment.
#
# It switches interrupts on, off for a piece of work that nobody may disturb, and on again; then it says something and
# ends. A timer rings while it works. Most of what it does is ordinary: adding, counting, moving bytes.

        .globl  _start

        .equ    CODE, 0x08              # the code segment that a guest is started in
        .equ    TIMER, 0x20             # the timer's interrupt vector
        .equ    COUNT, 60               # of the timer's 1.193182 MHz: it rings every 5,000 instructions or so
        .equ    SERIAL, 0x3F8           # the serial port's data register
        .equ    EXIT, 0xF4              # a byte written here ends the run with that status

        .macro  write port, value
        mov     al, \value
        out     \port, al
        .endm

_start: mov     eax, offset tick        # the timer's handler goes into the interrupt table
        mov     [idt + TIMER * 8], ax
        mov     word ptr [idt + TIMER * 8 + 2], CODE
        mov     word ptr [idt + TIMER * 8 + 4], 0x8E00
        shr     eax, 16
        mov     [idt + TIMER * 8 + 6], ax
        lidt    [idt_register]

        write   0x20, 0x11              # interrupt controller: vectors 0x20 to 0x27, the timer alone
        write   0x21, TIMER
        write   0x21, 0x04
        write   0x21, 0x01
        write   0x21, 0xFE
        write   0x43, 0x34              # the timer: channel 0, rings again and again
        write   0x40, COUNT
        write   0x40, 0

        sti                             # interrupts may come
        xor     eax, eax
        mov     ecx, 3000

critical:
        cli                             # from here on they may not
alone:  add     eax, ecx                # 3000 + 2999 + … + 1
        dec     ecx
        jnz     alone
        mov     [total], eax
        sti                             # now they may again,
        nop                             # once one more instruction has run
free:   write   0x21, 0xFF              # no timer any more

        mov     dx, SERIAL
        mov     esi, offset words
next:   mov     al, [esi]
        test    al, al
        jz      done
send:   out     dx, al
sent:   inc     esi
        jmp     next

done:   write   EXIT, 0

tick:   push    eax                     # the timer has rung
        inc     dword ptr [ticks]
        write   0x20, 0x20              # heard, says the kernel to the interrupt controller
        pop     eax
        iretd

words:  .asciz  "undisturbed\n"
idt_register:
        .word   (TIMER + 1) * 8 - 1
        .long   idt
        .balign 4
total:  .long   0
ticks:  .long   0

        .bss
        .balign 8
idt:    .skip   (TIMER + 1) * 8
