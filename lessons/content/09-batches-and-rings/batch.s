# Batch: a kernel that changes eight page-table entries one by one, eight more at once, and prints through a ring.
#
# Count how often it calls its hypervisor for each.

        .section .note.ringside, "a", @note
        .long   9, 4, 0x100             # this kernel is for a hypervisor that it can call
        .asciz  "Ringside"
        .balign 4
        .long   1

        .text
        .globl  _start

        .equ    MMU_UPDATE, 1           # change entries of my page tables: a list of them
        .equ    SCHEDULE, 29
        .equ    SHUTDOWN, 2
        .equ    EVENT, 32
        .equ    SEND, 4
        .equ    ENTRIES, 8
        .equ    LETTERS, 21
        .equ    OUT, 1024               # in the console's ring: the bytes that go out
        .equ    OUT_WRITTEN, 1024 + 2048 + 12

_start: mov     ebp, esi                # the start page
        mov     ebx, [ebp + 40]         # the page directory
        mov     edi, [ebx + 12]         # its entry for 0xc00000 on
        and     edi, 0xfffff000
        add     edi, 4 * 0x200          # the table's entry for page 0xe00, as the machine addresses it
        xor     ecx, ecx
list:   mov     edx, ecx                # write the list: which entries, and that they are to show nothing
        shl     edx, 4
        lea     eax, [edi + 4 * ecx]
        mov     [updates + edx], eax
        mov     dword ptr [updates + edx + 8], 0
        inc     ecx
        cmp     ecx, 2 * ENTRIES
        jb      list

        mov     ebp, esi
        mov     edi, offset updates
        mov     esi, ENTRIES
single: mov     eax, MMU_UPDATE
        mov     ebx, edi                # one entry of the list
        mov     ecx, 1
        xor     edx, edx
one:    int     0x82
        add     edi, 16
        dec     esi
        jnz     single

batch:  mov     eax, MMU_UPDATE
        mov     ebx, edi                # the rest of the list
        mov     ecx, ENTRIES
        xor     edx, edx
all:    int     0x82

print:  mov     edi, [ebp + 56]         # the console's ring
        xor     ecx, ecx
letter: mov     al, [text + ecx]
        mov     [edi + OUT + ecx], al
        inc     ecx
        cmp     ecx, LETTERS
        jb      letter
        mov     [edi + OUT_WRITTEN], ecx
        mov     eax, [ebp + 60]
        mov     [channel], eax
tell:   mov     eax, EVENT
        mov     ebx, SEND
        mov     ecx, offset channel
notify: int     0x82                    # look into the ring
told:   nop

        mov     eax, SCHEDULE
        mov     ebx, SHUTDOWN
        mov     ecx, offset reason
leave:  int     0x82
        ud2

        .data
text:   .ascii  "Written into a ring.\n"
        .balign 4
channel: .long  0
reason: .long   0, 0
        .balign 4096
updates: .skip  4096
