# Greedy: a kernel that closes its interrupts and never gives up the CPU.
#
# On a bare machine this is the end: nothing but the power switch helps.

        .globl  _start

_start: mov     esp, 0x300000
        cli
mine:   inc     eax
        jmp     mine
