# Flags: the instruction that no monitor could see, and the work of a kernel around it.
#
# POPF asks for interrupts to be off. In ring 1 the CPU ignores that without a word, which is how trap-and-emulate was
# betrayed. Here the monitor has read the code first.

        .globl  _start

        .equ    IF, 1 << 9              # the interrupt flag in EFLAGS
        .equ    EXIT, 0xF4

_start: sti                             # interrupts may come
        nop
        pushfd                          # a copy of the flags on the stack …
        and     dword ptr [esp], ~IF    # … in which IF is 0
        jmp     critical

critical:
        popfd                           # and this loads them
alone:  nop                             # work that nobody may disturb
        nop
        sti

        xor     al, al
        out     EXIT, al
