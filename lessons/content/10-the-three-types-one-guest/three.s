# Three: a kernel with three kinds of work, a hundred rounds each: it computes, it reads a port, it writes CR0.
#
# Run it under each type of virtualization, and count how often it leaves direct execution.

        .globl  _start

        .equ    ROUNDS, 100
        .equ    PORT, 0x80
        .equ    EXIT, 0xF4

_start: mov     ecx, ROUNDS
compute:
        imul    eax, eax, 3
        add     eax, ecx
        loop    compute

ports:  mov     ecx, ROUNDS
port:   in      al, PORT
        loop    port

control:
        mov     ecx, ROUNDS
read:   mov     eax, cr0
write:  mov     cr0, eax
        loop    read

done:   xor     al, al
        out     EXIT, al
