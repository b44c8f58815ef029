# Forget: the same kernel, whose author has forgotten that it is not in ring 0.
#
# It was written for ring 1. Its note says so; no other kind of monitor can run it.

        .section .note.ringside, "a", @note
        .long   9, 4, 0x100             # this kernel is for a hypervisor that it can call
        .asciz  "Ringside"
        .balign 4
        .long   1

        .text
        .globl  _start

        .equ    UPDATE, 14              # change what one of my pages shows
        .equ    SCHEDULE, 29
        .equ    SHUTDOWN, 2
        .equ    FORGET, 2               # the old translation, too
        .equ    UPCALL_MASK, 1          # its byte in the shared page

_start: mov     edi, [esi + 36]         # which frame is the page that we share?
        shl     edi, 12
        or      edi, 3
        mov     eax, UPDATE
        mov     ebx, offset shared
        mov     ecx, edi
        mov     edx, FORGET
ask:    int     0x82                    # show it to me here, please
asked:  nop

mask:   cli                             # no interrupts now, as every kernel says it
masked: sti

        mov     eax, UPDATE
        mov     ebx, offset shared
        mov     ecx, 3                  # frame 0 of the machine, to be written: it is not mine
        mov     edx, FORGET
beg:    int     0x82
begged: nop

        mov     eax, SCHEDULE
        mov     ebx, SHUTDOWN
        mov     ecx, offset reason
leave:  int     0x82                    # end, with status 0
        ud2

        .data
reason: .long   0, 0
        .balign 4096
shared: .skip   4096
