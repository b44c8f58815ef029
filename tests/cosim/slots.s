# A frame for random programs: SLOTS slots of 32 bytes, each with one random piece of code. Every exception is noted
# (vector, error code, EIP, CS, flags, CR2) in a log, and the program goes on with the next slot, in ring 0 again.

.equ SLOTS, 24
.equ SLOT_BYTES, 32
.equ STACK, 0x300000
.equ SCRATCH, 0x200000

.globl _start
_start:
    mov eax, offset tss
    mov ebx, offset gdt_tss
    call set_base
    mov eax, offset task
    mov ebx, offset gdt_task
    call set_base
    mov eax, offset ldt
    mov ebx, offset gdt_ldt
    call set_base
    mov eax, offset narrow_task
    mov ebx, offset gdt_narrow_task
    call set_base
    mov eax, offset gate_entry
    mov ebx, offset gates
    mov ecx, 5
set_gate:
    mov [ebx], ax
    mov edx, eax
    shr edx, 16
    mov [ebx + 6], dx
    add ebx, 8
    dec ecx
    jnz set_gate
    mov eax, offset gate_entry_with_parameters
    mov [gates + 8], ax
    mov esi, offset stubs
    xor ecx, ecx
fill_idt:
    mov eax, esi
    mov [idt + ecx * 8], ax
    mov word ptr [idt + ecx * 8 + 2], 8
    mov word ptr [idt + ecx * 8 + 4], 0xee00
    shr eax, 16
    mov [idt + ecx * 8 + 6], ax
    add esi, 16
    inc ecx
    cmp ecx, 64
    jb fill_idt
    mov dword ptr [idt + 0x3e * 8], 0x00880000     # a task gate
    mov dword ptr [idt + 0x3e * 8 + 4], 0xe500
    lidt [idt_register]
    lgdt [gdt_register]
    mov ax, 0x28
    ltr ax
    call load_segments
    mov esp, STACK
.ifdef PAGING
    call turn_paging_on
    mov dword ptr [task_cr3], 0x400000   # DIRECTORY, below
    mov dword ptr [tss + 0x1c], 0x400000
.endif
    mov edi, offset slots
    jmp edi

.ifdef PAGING
# Two directories with the same first table (0 to 4 MiB, one to one, for everybody). The second table maps itself and
# the other tables at their own addresses, and from 0x480000 on a window of 16 pages that the random programs remap.
.equ DIRECTORY, 0x400000
.equ TABLE_0,   0x401000
.equ TABLE_1,   0x402000
.equ DIRECTORY_2, 0x403000
.equ TABLE_1_2, 0x404000
.equ FRAMES,    0x600000

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
    mov [TABLE_1_2 + ecx * 4], eax
    add eax, 0x1000
    inc ecx
    cmp ecx, 16
    jb fill_tables
    mov ecx, 0x80
    mov eax, FRAMES + 7
fill_window:
    mov [TABLE_1 + ecx * 4], eax
    xor eax, 2                      # the second directory sees the window read-only
    mov [TABLE_1_2 + ecx * 4], eax
    xor eax, 2
    add eax, 0x1000
    inc ecx
    cmp ecx, 0x90
    jb fill_window
    mov dword ptr [DIRECTORY], TABLE_0 + 7
    mov dword ptr [DIRECTORY + 4], TABLE_1 + 7
    mov dword ptr [DIRECTORY_2], TABLE_0 + 7
    mov dword ptr [DIRECTORY_2 + 4], TABLE_1_2 + 7
    mov eax, DIRECTORY
    mov cr3, eax
    mov eax, 0x10
    mov cr4, eax
    mov eax, cr0
    or eax, 0x80010000
    mov cr0, eax
    ret
.endif

set_base:                               # of the descriptor at EBX, to EAX
    mov [ebx + 2], ax
    shr eax, 16
    mov [ebx + 4], al
    mov [ebx + 7], ah
    ret

gate_entry:                             # where every call gate leads: to the caller, with its two parameters or none
    inc dword ptr [gate_count]
    retf
gate_entry_with_parameters:
    inc dword ptr [gate_count]
    push dword ptr [esp + 8]
    pop dword ptr [parameter]
    retf 8

task_entry:                             # another task: returns to who called it
    inc dword ptr [task_count]
    iretd
    jmp task_entry

load_segments:
    mov ax, 0x10
    mov ds, ax
    mov es, ax
    mov fs, ax
    mov gs, ax
    mov ss, ax
    ret

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

# An external interrupt or exception arrived: vector, error, EIP, CS, EFLAGS on the stack.
common:
    push eax
    push ebx
    .byte 0x1e                      # push ds, of 32 bits: LLVM would make it one of 16
    mov ax, 0x10
    mov ds, ax
    mov ebx, [log_next]
    cmp ebx, offset log_end
    jae log_full
    mov eax, [esp + 12]             # vector
    mov [ebx], eax
    mov eax, [esp + 16]             # error code
    mov [ebx + 4], eax
    mov eax, [esp + 20]             # EIP
    mov [ebx + 8], eax
    mov eax, [esp + 24]             # CS
    mov [ebx + 12], eax
    mov eax, [esp + 28]             # EFLAGS
    mov [ebx + 16], eax
    mov eax, cr2
    mov [ebx + 20], eax
    add dword ptr [log_next], 24
log_full:
    cmp dword ptr [esp + 12], 0x20  # the timer's: end of interrupt, and go on where it came in
    je timer
.ifdef PAGING
    mov eax, cr3                    # a piece may have been left before its INVLPG, single-stepped say
    mov cr3, eax
.endif
    mov eax, [esp + 20]
    sub eax, offset slots           # the next slot
    shr eax, 5
    cmp eax, SLOTS - 1
    jae finish                      # beyond the last slot, or not in a slot at all
    inc eax
    shl eax, 5
    add eax, offset slots
    mov [resume_at], eax
    .byte 0x1f                      # pop ds
    pop ebx
    pop eax
    push 0x10                       # back to a known ring, stack and segments
    .byte 0x17                      # pop ss
    mov esp, STACK
    push eax
    mov ax, 0x10
    mov ds, ax
    mov es, ax
    pop eax
    jmp [resume_at]
timer:
    mov al, 0x20
    out 0x20, al
    .byte 0x1f                      # pop ds
    pop ebx
    pop eax
    add esp, 8
    iretd

finish:
    cli
    mov al, 0
    out 0xf4, al

.balign 32
slots:
.fill SLOTS * SLOT_BYTES, 1, 0x90
slots_end:
    jmp finish

.data
.balign 4096
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff        # 0x08 kernel code, accessed
    .quad 0x00cf93000000ffff        # 0x10 kernel data, accessed
    .quad 0x00cffa000000ffff        # 0x18 user code
    .quad 0x00cff2000000ffff        # 0x20 user data
gdt_tss:
    .quad 0x0000890000000067        # 0x28 TSS
    .quad 0x00cf92000000ffff        # 0x30 kernel data, not yet accessed
    .quad 0x00cf12000000ffff        # 0x38 data, not present
    .quad 0x00cf9a000000ffff        # 0x40 kernel code, not yet accessed
    .quad 0x00cf90000000ffff        # 0x48 read-only data
    .quad 0x00cf98000000ffff        # 0x50 execute-only code
    .quad 0x00cf9e000000ffff        # 0x58 conforming code
gates:
    .quad 0x0000ec0000080000        # 0x60 call gate for ring 3, to ring 0
    .quad 0x0000ec0200080000        # 0x68 with two parameters
    .quad 0x0000e40000080000        # 0x70 a 16-bit one
    .quad 0x00008c0000080000        # 0x78 call gate for ring 0
    .quad 0x0000ec0000580000        # 0x80 call gate to conforming code
gdt_task:
    .quad 0x0000890000000067        # 0x88 TSS of another task
    .quad 0x0000e50000880000        # 0x90 task gate to it, for ring 3
    .quad 0x00409b000000ffff        # 0x98 code of 64 KiB
    .quad 0x0000e50000280000        # 0xa0 task gate to the first task
gdt_ldt:
    .quad 0x0000820000000017        # 0xa8 LDT
gdt_narrow_task:
    .quad 0x000081000000002b        # 0xb0 16-bit TSS
    .quad 0x00009b000000ffff        # 0xb8 16-bit code
gdt_end:
ldt:
    .quad 0
    .quad 0x00cf93000000ffff        # 0x0c data
    .quad 0x00cffb000000ffff        # 0x14 user code
gdt_register:
    .word gdt_end - gdt - 1
    .long gdt
idt_register:
    .word 64 * 8 - 1
    .long idt
.balign 4
tss:
    .long 0, STACK, 0x10
    .fill 22, 4, 0
    .word 0, 104
task:
    .long 0, STACK - 0x400, 0x10, 0, 0, 0, 0
task_cr3:
    .long 0, task_entry, 2, 1, 2, 3, 4, task_stack_top, 5, 6, 7, 0x10, 0x08, 0x10, 0x10, 0, 0, 0
    .word 0, 104
narrow_task:
    .word 0, 0xfff0, 0x10, 0, 0, 0, 0
    .fill 17, 2, 0
task_stack:
    .fill 16, 4, 0
task_stack_top:
    .long finish, 0x08, 2           # an IRET of a task that was not called ends the program
gate_count: .long 0
task_count: .long 0
parameter:  .long 0
log_next:  .long log
resume_at: .long 0
.balign 4096
log:
    .fill 24 * 64, 1, 0
log_end:
.bss
.balign 4096
idt: .skip 64 * 8
