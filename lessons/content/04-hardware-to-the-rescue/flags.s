# Flags: the same wish, put another way.
#
# This kernel takes its flags from the stack. POPF loads the whole EFLAGS register, IF included. Kernels use it to put interrupts back as they were.

        .globl  _start

        .equ    IF, 1 << 9              # the interrupt flag in EFLAGS
        .equ    EXIT, 0xF4

_start: sti                             # interrupts may come
        nop
        pushfd                          # a copy of the flags on the stack …
        and     dword ptr [esp], ~IF    # … in which IF is 0

critical:
        popfd                           # and this loads them
alone:  nop                             # work that nobody may disturb
        nop
        sti

        xor     al, al
        out     EXIT, al
