# Keeper: it writes a number into each page of 8 MiB, then reads them all, and ends with status 0 if they are there.
#
# Between the two, somebody may have taken half of its machine's memory.

        .globl  _start

        .equ    EXIT, 0xF4
        .equ    FIRST, 0x400000
        .equ    BEHIND, 0xC00000
        .equ    PAGE, 0x1000

_start: mov     esp, 0x300000
        mov     edi, FIRST
fill:   mov     [edi], edi              # each page's own address
        add     edi, PAGE
        cmp     edi, BEHIND
        jb      fill

kept:   mov     edi, FIRST
        xor     eax, eax
look:   cmp     [edi], edi
        jne     lost
        add     edi, PAGE
        cmp     edi, BEHIND
        jb      look
        out     EXIT, al                # status 0: nothing is missing
lost:   inc     eax
        out     EXIT, al
