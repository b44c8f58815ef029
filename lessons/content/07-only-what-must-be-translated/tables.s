# Tables: a kernel that turns paging on, and then changes one entry of its page table a hundred times.
#
# Linear addresses are guest-physical ones, but for the window, whose page goes to and fro between two frames.

        .globl  _start

        .equ    DIRECTORY, 0x200000
        .equ    TABLE, 0x201000
        .equ    WINDOW, 0x210000        # a page of linear memory …
        .equ    OTHER, 0x220000         # … and the second frame that it is moved to
        .equ    PRESENT_WRITABLE, 3
        .equ    EXIT, 0xF4

_start: mov     esp, 0x300000
        mov     edi, TABLE              # the first 4 MiB, each page at its own address
        mov     eax, PRESENT_WRITABLE
fill:   mov     [edi], eax
        add     eax, 0x1000
        add     edi, 4
        cmp     edi, TABLE + 0x1000
        jb      fill
        mov     dword ptr [DIRECTORY], TABLE + PRESENT_WRITABLE
        mov     eax, DIRECTORY
        mov     cr3, eax
        mov     eax, cr0
        or      eax, 0x80000000
        mov     cr0, eax                # paging is on
        mov     ecx, 100
        mov     ebx, WINDOW + PRESENT_WRITABLE
        jmp     remap

remap:  mov     [TABLE + 4 * (WINDOW >> 12)], ebx
        invlpg  [WINDOW]
        mov     eax, [WINDOW]           # through the new entry
        xor     ebx, WINDOW ^ OTHER
        dec     ecx
        jnz     remap

        xor     al, al
        out     EXIT, al
