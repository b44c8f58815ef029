# Driver: one driver, run in ring 1 and then, byte for byte the same, in ring 3.
#
# The kernel lets ring 1 use ports (IOPL 1). The driver writes one letter to the serial port and calls the kernel.

        .globl  _start

        .equ    SERIAL, 0x3F8
        .equ    EXIT, 0xF4
        .equ    IOPL_1, 1 << 12         # in EFLAGS: rings 0 and 1 may use ports
        .equ    CODE_0, 0x08            # selectors; the two lowest bits are the ring
        .equ    DATA_0, 0x10
        .equ    CODE_1, 0x18 | 1
        .equ    DATA_1, 0x20 | 1
        .equ    CODE_3, 0x28 | 3
        .equ    DATA_3, 0x30 | 3
        .equ    TSS, 0x38
        .equ    KERNEL, 0x30            # the vector by which the driver calls the kernel
        .equ    GATE_0, 0x8E00          # a 32-bit interrupt gate for ring 0 only …
        .equ    GATE_3, 0xEE00          # … and one that every ring may call

        .macro  gate vector, handler, kind
        mov     eax, offset \handler
        mov     [idt + \vector * 8], ax
        mov     word ptr [idt + \vector * 8 + 2], CODE_0
        mov     word ptr [idt + \vector * 8 + 4], \kind
        shr     eax, 16
        mov     [idt + \vector * 8 + 6], ax
        .endm

        .macro  enter code, data, stack # IRET outward: EIP, CS, EFLAGS, ESP, SS
        push    \data
        mov     eax, offset \stack
        push    eax
        push    IOPL_1
        push    \code
        mov     eax, offset driver
        push    eax
        iretd
        .endm

_start: mov     eax, offset tss
        mov     [gdt_tss + 2], ax
        shr     eax, 16
        mov     [gdt_tss + 4], al
        lgdt    [gdt_register]
        mov     ax, TSS
        ltr     ax
        gate    13, refused, GATE_0
        gate    KERNEL, called, GATE_3
        lidt    [idt_register]
        enter   CODE_1, DATA_1, stack_1

# --- the driver: it does not know its ring ---------------------------------------------------------------------------

driver: mov     dx, SERIAL
        mov     al, '*'
direct: out     dx, al                  # straight to the device
sent:   int     KERNEL

# --- the kernel, in ring 0 -------------------------------------------------------------------------------------------

called: enter   CODE_3, DATA_3, stack_3 # the driver has come back from ring 1; now the same in ring 3

refused:
        mov     al, 1                   # #GP: the driver may not do that
        out     EXIT, al

        .data
        .balign 8
gdt:    .quad   0
        .quad   0x00CF9A000000FFFF      # 0x08 code of ring 0
        .quad   0x00CF92000000FFFF      # 0x10 data of ring 0
        .quad   0x00CFBA000000FFFF      # 0x18 code of ring 1
        .quad   0x00CFB2000000FFFF      # 0x20 data of ring 1
        .quad   0x00CFFA000000FFFF      # 0x28 code of ring 3
        .quad   0x00CFF2000000FFFF      # 0x30 data of ring 3
gdt_tss:
        .quad   0x0000890000000067      # 0x38 TSS; its base is filled in above
gdt_register:
        .word   8 * 8 - 1
        .long   gdt
idt_register:
        .word   (KERNEL + 1) * 8 - 1
        .long   idt
        .balign 4
tss:    .long   0
        .long   stack_0                 # the stack for ring 0
        .long   DATA_0
        .fill   22, 4, 0
        .word   0, 104                  # no I/O bitmap: IOPL alone decides

        .bss
        .balign 16
idt:    .skip   (KERNEL + 1) * 8
        .skip   1024
stack_0:
        .skip   1024
stack_1:
        .skip   1024
stack_3:
