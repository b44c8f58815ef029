# Guard: a kernel that protects a little work with CLI and STI, again and again.
#
# Five hundred times it closes its interrupts, adds something up, and opens them again.

        .globl  _start

        .equ    EXIT, 0xF4

_start: mov     esp, 0x300000
        mov     ecx, 500
        jmp     lock

lock:   cli
        add     edx, ecx                # what nobody may disturb
        xor     edx, 0x55
        imul    eax, edx, 3
        sub     eax, ecx
        sti
        nop
        dec     ecx
next:   jnz     lock

        xor     al, al
        out     EXIT, al
