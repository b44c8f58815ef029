# Doors: a kernel with two of them. A program calls it by INT 0x80, and by SYSENTER.
#
# Watch what the CPU looks up and what it puts on the kernel's stack, each way.

        .globl  _start

        .equ    KERNEL_CODE, 0x08       # SYSENTER and SYSEXIT want just this order of segments
        .equ    KERNEL_DATA, 0x10
        .equ    USER_CODE, 0x18 | 3
        .equ    USER_DATA, 0x20 | 3
        .equ    TASK, 0x28
        .equ    KERNEL_STACK, 0x300000
        .equ    USER_STACK, 0x380000
        .equ    SYSENTER_CS, 0x174      # the registers that SYSENTER looks at, and nothing else
        .equ    SYSENTER_ESP, 0x175
        .equ    SYSENTER_EIP, 0x176
        .equ    DOOR, 0x80
        .equ    ROUNDS, 100
        .equ    EXIT, 0xF4

_start: mov     eax, offset tss         # the descriptor of the TSS, whose base is split
        mov     [gdt_tss + 2], ax
        shr     eax, 16
        mov     [gdt_tss + 4], al
        mov     [gdt_tss + 7], ah
        lgdt    [gdt_register]
        mov     ax, KERNEL_DATA
        mov     ss, ax
        mov     esp, KERNEL_STACK
        push    KERNEL_CODE
        mov     eax, offset here
        push    eax
        retf
here:   mov     ax, TASK                # by the TSS, INT finds the kernel's stack
        ltr     ax
        mov     eax, offset slow_entry  # the first door: gate 0x80, open to ring 3
        mov     [idt + DOOR * 8], ax
        mov     word ptr [idt + DOOR * 8 + 2], KERNEL_CODE
        mov     word ptr [idt + DOOR * 8 + 4], 0xEE00
        shr     eax, 16
        mov     [idt + DOOR * 8 + 6], ax
        lidt    [idt_register]

        xor     edx, edx                # the second: three registers
        mov     ecx, SYSENTER_CS
        mov     eax, KERNEL_CODE
        wrmsr
        mov     ecx, SYSENTER_ESP
        mov     eax, KERNEL_STACK
        wrmsr
        mov     ecx, SYSENTER_EIP
        mov     eax, offset fast_entry
        wrmsr

        mov     eax, offset program
        push    USER_DATA               # and out, into the program
        push    USER_STACK
        push    0x2
        push    USER_CODE
        push    eax
        iretd

slow_entry:
        test    eax, eax
        jz      stop
        inc     ebx                     # what was asked for: count
        iretd

fast_entry:
        inc     ebx
        sysexit                         # to EDX, with the stack in ECX

stop:   xor     al, al
        out     EXIT, al

# --- the program, in ring 3

program:
        mov     ax, USER_DATA
        mov     ds, ax
        mov     es, ax
        mov     eax, 1
slow:   int     DOOR                    # once by the first door
        mov     ecx, esp                # SYSENTER saves nothing: where to come back is the program's to say
        mov     edx, offset back
fast:   sysenter                        # once by the second
back:   mov     esi, ROUNDS
by_slow:
        int     DOOR
        dec     esi
        jnz     by_slow
turn:   mov     esi, ROUNDS
        mov     ecx, esp
        mov     edx, offset next
by_fast:
        sysenter
next:   dec     esi
        jnz     by_fast
done:   xor     eax, eax
        int     DOOR

        .data
        .balign 8
gdt:    .quad   0
        .quad   0x00CF9A000000FFFF      # kernel code
        .quad   0x00CF92000000FFFF      # kernel data
        .quad   0x00CFFA000000FFFF      # program code
        .quad   0x00CFF2000000FFFF      # program data
gdt_tss:
        .quad   0x0000890000000067
gdt_register:
        .word   gdt_register - gdt - 1
        .long   gdt
tss:    .long   0, KERNEL_STACK, KERNEL_DATA
        .fill   23, 4, 0
        .balign 8
idt:    .fill   (DOOR + 1) * 8, 1, 0
idt_register:
        .word   (DOOR + 1) * 8 - 1
        .long   idt
