# A frame for what one kernel does on purpose: the code at `test` runs in ring 0 with every exception noted in a log
# (vector, error code, EIP, CS, EFLAGS, CR2, DR6). A fault goes on at [resume], if that is not 0, with the CS and the
# ring it came from; else where it came in. At the eighth entry, or by a jump to `finish`, the program ends.

.equ STACK, 0x300000
.equ USER_STACK, 0x2f0000
.equ SCRATCH, 0x200000
.equ CODE, 0x08
.equ DATA, 0x10
.equ USER_CODE, 0x1b
.equ USER_DATA, 0x23
.equ TSS, 0x28
.equ NARROW_CODE, 0x30
.equ NARROW_DATA, 0x38
.equ LDT, 0x40
.equ NARROW_TSS, 0x48
.equ OTHER_NARROW_TSS, 0x50
.equ NARROW_USER_CODE, 0x5b
.equ NARROW_TASK_GATE, 0x60
.equ CALL_GATE, 0x6b

.macro base_of descriptor, place
    mov eax, offset \place
    mov [\descriptor + 2], ax
    shr eax, 16
    mov [\descriptor + 4], al
    mov [\descriptor + 7], ah
.endm

.globl _start
_start:
    base_of gdt+0x28, tss
    base_of gdt+0x30, narrow
    base_of gdt+0x38, narrow
    base_of gdt+0x40, ldt
    base_of gdt+0x48, narrow_tss
    base_of gdt+0x50, other_narrow_tss
    base_of gdt+0x58, narrow
    mov eax, offset through_gate
    mov [gdt + 0x68], ax
    shr eax, 16
    mov [gdt + 0x6e], ax
    mov esi, offset stubs
    xor ecx, ecx
fill_idt:
    mov eax, esi
    mov [idt + ecx * 8], ax
    mov word ptr [idt + ecx * 8 + 2], CODE
    mov word ptr [idt + ecx * 8 + 4], 0xee00
    shr eax, 16
    mov [idt + ecx * 8 + 6], ax
    add esi, 16
    inc ecx
    cmp ecx, 64
    jb fill_idt
    lgdt [gdt_register]
    lidt [idt_register]
    mov ax, TSS
    ltr ax
    mov ax, DATA
    mov ds, ax
    mov es, ax
    mov fs, ax
    mov gs, ax
    mov ss, ax
    mov esp, STACK
.ifdef PAGING
    call turn_paging_on
.endif
    jmp test

.ifdef PAGING
# 0 to 4 MiB one to one by TABLE_0; 4 MiB and on by TABLE_1, which maps the tables and a window of 8 pages of FRAMES.
.equ DIRECTORY, 0x400000
.equ TABLE_0, 0x401000
.equ TABLE_1, 0x402000
.equ WINDOW, 0x480000
.equ WINDOW_ENTRY, TABLE_1 + 4 * 0x80
.equ FRAMES, 0x600000
turn_paging_on:
    xor ecx, ecx
    mov eax, 7
fill_first:
    mov [TABLE_0 + ecx * 4], eax
    add eax, 0x1000
    inc ecx
    cmp ecx, 1024
    jb fill_first
    xor ecx, ecx
    mov eax, 0x400007
fill_tables:
    mov [TABLE_1 + ecx * 4], eax
    add eax, 0x1000
    inc ecx
    cmp ecx, 8
    jb fill_tables
    xor ecx, ecx
    mov eax, FRAMES + 7
fill_window:
    mov [WINDOW_ENTRY + ecx * 4], eax
    add eax, 0x1000
    inc ecx
    cmp ecx, 8
    jb fill_window
    mov dword ptr [DIRECTORY], TABLE_0 + 7
    mov dword ptr [DIRECTORY + 4], TABLE_1 + 7
    mov eax, DIRECTORY
    mov [tss + 0x1c], eax
    mov cr3, eax
    mov eax, 0x10
    mov cr4, eax
    mov eax, cr0
    or eax, 0x80010000
    mov cr0, eax
    ret
.endif

.balign 16
stubs:
.set vector, 0
.rept 64
.balign 16
.if vector == 8 || vector == 10 || vector == 11 || vector == 12 || vector == 13 || vector == 14 || vector == 17
.else
    .byte 0x6a, 0                   # push 0, in place of an error code
.endif
    .byte 0x6a, vector              # push vector
    .byte 0xe9                      # jmp common
    .long common - . - 4
.set vector, vector + 1
.endr

common:                             # vector, error, EIP, CS, EFLAGS on the stack
    pushad
    .byte 0x1e, 0x06                # push ds, push es
    mov ax, DATA
    mov ds, ax
    mov es, ax
    mov edi, [log_next]
    lea esi, [esp + 40]
    mov ecx, 5
    cld
    rep movsd
    mov eax, cr2
    stosd
    mov eax, dr6
    stosd
    xor eax, eax
    mov dr6, eax
    mov [log_next], edi
    cmp edi, offset log_end
    jae finish
    mov eax, [resume]
    or eax, eax
    jz leave
    mov [esp + 48], eax
    mov dword ptr [resume], 0
leave:
    .byte 0x07, 0x1f                # pop es, pop ds
    popad
    add esp, 8
    iretd

through_gate:
    mov [gate_stack], esp
    retf

finish:
    mov al, 0
    out 0xf4, al

.data
.balign 4096
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff        # 0x08
    .quad 0x00cf93000000ffff        # 0x10
    .quad 0x00cffb000000ffff        # 0x18
    .quad 0x00cff3000000ffff        # 0x20
    .quad 0x0000890000000067        # 0x28 TSS
    .quad 0x00009b000000ffff        # 0x30 16-bit code at `narrow`
    .quad 0x000093000000ffff        # 0x38 16-bit data at `narrow`
    .quad 0x000082000000001f        # 0x40 LDT
    .quad 0x000081000000002b        # 0x48 16-bit TSS
    .quad 0x000081000000002b        # 0x50 16-bit TSS of another task
    .quad 0x0000fb000000ffff        # 0x58 16-bit code for ring 3
    .quad 0x0000e50000500000        # 0x60 task gate to the 16-bit task
    .quad 0x0000ec0000080000        # 0x68 call gate for ring 3, to `through_gate`
gdt_end:
gdt_register:
    .word gdt_end - gdt - 1
    .long gdt
idt_register:
    .word 64 * 8 - 1
    .long idt
.balign 8
ldt:
    .quad 0
    .quad 0x00cf93000000ffff        # 0x0c data
    .quad 0x00cf9b000000ffff        # 0x14 code
    .quad 0x00cff3000000ffff        # 0x1f user data
tss:
    .long 0, STACK, DATA
    .fill 22, 4, 0
    .word 0, 104
narrow_tss:
    .word 0, 0xfff0, DATA
    .fill 19, 2, 0
other_narrow_tss:
    .word 0, 0, 0, 0, 0, 0, 0
    .word narrow_task - narrow, 2, 1, 2, 3, 4, 0xff00, 5, 6, 7, DATA, NARROW_CODE, NARROW_DATA, DATA, 0, 0, 0, 0
task_count: .long 0
gate_stack: .long 0
resume:   .long 0
log_next: .long log
.balign 4096
log:
    .fill 8 * 28, 1, 0
log_end:
.balign 4096
seen:
    .fill 64, 4, 0
.bss
.balign 4096
idt: .skip 64 * 8

.text
.balign 16
narrow:                             # the base of the 16-bit segments
.code16
narrow_task:
    mov ebx, offset task_count
    inc dword ptr [ebx]
    iret
    jmp narrow_task
.code32
