# Loops that leave direct execution at every turn, one for each cause. LOOP says which: the label to go to.

.equ DIRECTORY, 0x400000
.equ TABLE,     0x401000
.equ PAGE,      0x300000                # remapped again and again
.equ ABSENT,    0x800000                # mapped nowhere

.macro handle vector, handler
    mov eax, offset \handler
    mov [idt + \vector * 8], ax
    mov word ptr [idt + \vector * 8 + 2], 8
    mov word ptr [idt + \vector * 8 + 4], 0x8e00
    shr eax, 16
    mov [idt + \vector * 8 + 6], ax
.endm

_start:
    handle 0x06, skip_two
    handle 0x0e, skip_page_fault
    handle 0x20, timer
    handle 0x30, return
    lidt [idt_register]
    xor ecx, ecx                        # the first 4 MiB one to one
    mov eax, 7
fill:
    mov [TABLE + ecx * 4], eax
    add eax, 0x1000
    inc ecx
    cmp ecx, 1024
    jb fill
    mov dword ptr [DIRECTORY], TABLE + 7
    mov dword ptr [DIRECTORY + 4], 0x83 | DIRECTORY
    mov eax, 0x10
    mov cr4, eax
    mov eax, DIRECTORY
    mov cr3, eax
    mov eax, cr0
    or eax, 0x80000000
    mov cr0, eax
    mov ebx, 0x200007
    jmp LOOP

privileged:
    cli
    jmp privileged

io:
    out 0x80, al
    jmp io

system_call:
    int 0x30
    jmp system_call

call_from_program:                      # as system_call, but from ring 3
    handle 0x31, return
    mov byte ptr [idt + 0x31 * 8 + 5], 0xee
    mov eax, offset tss
    mov [gdt_tss + 2], ax
    shr eax, 16
    mov [gdt_tss + 4], al
    mov [gdt_tss + 7], ah
    mov [tss + 4], esp
    lgdt [gdt_register]
    mov ax, 0x28
    ltr ax
    push 0x23
    push esp
    push 2
    push 0x1b
    mov eax, offset program
    push eax
    iretd
program:
    int 0x31
    jmp program

fault:
    ud2
    jmp fault

page_fault:
    mov eax, [ABSENT]                   # five bytes
    jmp page_fault

remap:                                  # a trace, then a hidden page fault
    mov [TABLE + PAGE / 1024], ebx
    xor ebx, 0x1000
    invlpg [PAGE]
    mov edx, [PAGE]
    jmp remap

interrupt:
    mov esi, offset set_up
next:                                   # pairs of port and value
    movzx edx, byte ptr [esi]
    mov al, [esi + 1]
    out dx, al
    add esi, 2
    cmp esi, offset set_up_end
    jb next
sleep:
    sti
    hlt
    jmp sleep

timer:
    mov al, 0x20
    out 0x20, al
return:
    iretd
skip_two:
    add dword ptr [esp], 2
    iretd
skip_page_fault:
    add esp, 4
    add dword ptr [esp], 5
    iretd

.data
set_up:                                 # interrupt controller to vectors 0x20, the timer alone, every 500 instructions
    .byte 0x20, 0x11, 0x21, 0x20, 0x21, 0x04, 0x21, 0x01, 0x21, 0xfe, 0x43, 0x34, 0x40, 6, 0x40, 0
set_up_end:
idt_register:
    .word 64 * 8 - 1
    .long idt
.balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff            # 0x08 the kernel's code and data
    .quad 0x00cf93000000ffff
    .quad 0x00cffb000000ffff            # 0x18 the program's
    .quad 0x00cff3000000ffff
gdt_tss:
    .quad 0x0000890000000067
gdt_end:
gdt_register:
    .word gdt_end - gdt - 1
    .long gdt
.balign 8
tss:
    .long 0, 0, 0x10
    .fill 23, 4, 0
.bss
.balign 8
idt: .skip 64 * 8
