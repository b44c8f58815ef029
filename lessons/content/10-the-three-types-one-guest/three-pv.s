# Three, ported: the same work where a kernel cannot do it, but ask. It has no port; its task-switched flag is a call.

        .section .note.ringside, "a", @note
        .long   9, 4, 0x100             # this kernel is for a hypervisor that it can call
        .asciz  "Ringside"
        .balign 4
        .long   1

        .text
        .globl  _start

        .equ    ROUNDS, 100
        .equ    TASK_SWITCHED, 5        # what an ordinary kernel writes CR0 for
        .equ    SCHEDULE, 29
        .equ    SHUTDOWN, 2

_start: mov     ecx, ROUNDS
compute:
        imul    eax, eax, 3
        add     eax, ecx
        loop    compute

control:
        mov     edi, ROUNDS
again:  mov     eax, TASK_SWITCHED
        xor     ebx, ebx
write:  int     0x82
        dec     edi
        jnz     again

done:   mov     eax, SCHEDULE
        mov     ebx, SHUTDOWN
        mov     ecx, offset reason
        int     0x82
        ud2

        .data
reason: .long   0, 0
