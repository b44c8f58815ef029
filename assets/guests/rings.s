# Four rings: a kernel in ring 0 enters a program in ring 3, which calls it back, is interrupted, and is refused.
#
# The program may compute as it likes. For anything else (printing, ending) it must ask the kernel by INT 0x80; the
# timer takes the CPU away from it now and then; and when it tries CLI, an instruction of ring 0, the CPU refuses.

.include "console.inc"

.equ KERNEL_CODE, 0x08              # selectors: index into the GDT, two low bits = requested privilege level
.equ KERNEL_DATA, 0x10
.equ USER_CODE,   0x18 | 3
.equ USER_DATA,   0x20 | 3
.equ TSS,         0x28

.equ TICKS_WANTED, 3
.equ TIMER_COUNT,  120              # of the timer's 1.193182 MHz: a tick every 10,000 instructions or so

.equ CALL_PRINT, 1                  # system calls: number in EAX, argument in EBX
.equ CALL_TICKS, 2
.equ CALL_EXIT,  3

.globl _start
_start:
    mov eax, offset tss             # the TSS descriptor's base is split; fill it in
    mov [gdt_tss + 2], ax
    shr eax, 16
    mov [gdt_tss + 4], al
    mov [gdt_tss + 7], ah
    lgdt [gdt_register]
    push KERNEL_CODE                # reload CS by a far return
    mov eax, offset in_new_segments
    push eax
    retf
in_new_segments:
    mov ax, KERNEL_DATA
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov esp, offset kernel_stack_top
    mov ax, TSS
    ltr ax                          # where the CPU finds the kernel's stack when ring 3 is interrupted

    mov eax, offset general_protection
    mov ecx, 13
    call set_gate
    mov eax, offset timer_interrupt
    mov ecx, 0x20
    call set_gate
    mov eax, offset system_call
    mov ecx, 0x80
    call set_gate
    or byte ptr [idt + 0x80 * 8 + 5], 0x60   # this gate's DPL is 3: programs may use it
    lidt [idt_register]

    call start_timer
    print "kernel: in ring 0, entering the program in ring 3\n"

    mov eax, offset user_stack_top
    mov ebx, offset program
    push USER_DATA                  # IRET pops EIP, CS, EFLAGS and, going outward, ESP and SS
    push eax
    push 0x202                      # EFLAGS with interrupts enabled
    push USER_CODE
    push ebx
    iretd

# --- the program, in ring 3 -------------------------------------------------------------------------------------

program:
    mov ax, USER_DATA
    mov ds, ax
    mov es, ax
    mov eax, CALL_PRINT
    mov ebx, offset greeting
    int 0x80
wait_for_ticks:
    mov ecx, 2000                   # compute; the timer interrupts this loop somewhere
compute:
    dec ecx
    jnz compute
    mov eax, CALL_TICKS
    int 0x80
    cmp eax, TICKS_WANTED
    jb wait_for_ticks
    mov eax, CALL_PRINT
    mov ebx, offset interrupted
    int 0x80
forbidden:
    cli                             # ring 3 may not: the CPU raises #GP
    mov eax, CALL_PRINT
    mov ebx, offset survived
    int 0x80
    mov eax, CALL_EXIT
    xor ebx, ebx
    int 0x80

greeting:    .asciz "program: in ring 3, asking the kernel to print this\n"
interrupted: .asciz "program: the timer has interrupted me three times, and I noticed nothing\n"
survived:    .asciz "program: the kernel skipped it, and I go on\n"

# --- the kernel's handlers, in ring 0 ----------------------------------------------------------------------------

system_call:
    cmp eax, CALL_PRINT
    je system_print
    cmp eax, CALL_TICKS
    je system_ticks
    mov al, bl                      # CALL_EXIT
    out EXIT_PORT, al
system_print:
    pushad
    mov esi, ebx
system_print_next:
    lodsb
    test al, al
    jz system_print_done
    call print_character
    jmp system_print_next
system_print_done:
    popad
    iretd
system_ticks:
    mov eax, [ticks]
    iretd

timer_interrupt:
    push eax
    inc dword ptr [ticks]
    mov al, 0x20                    # end of interrupt, to the interrupt controller
    out 0x20, al
    pop eax
    iretd

general_protection:                 # on the stack: error code, EIP, CS, EFLAGS, ESP, SS
    print "kernel: the program tried a privileged instruction\n"
    add esp, 4                      # the error code is the handler's to remove
    inc dword ptr [esp]             # CLI is one byte long: go on behind it
    iretd

# --- setting up ---------------------------------------------------------------------------------------------------

set_gate:                           # ECX = vector, EAX = handler: a present 32-bit interrupt gate of DPL 0
    mov [idt + ecx * 8], ax
    mov word ptr [idt + ecx * 8 + 2], KERNEL_CODE
    mov word ptr [idt + ecx * 8 + 4], 0x8e00
    shr eax, 16
    mov [idt + ecx * 8 + 6], ax
    ret

.macro outb port, value
    mov al, \value
    out \port, al
.endm

start_timer:
    outb 0x20, 0x11                 # interrupt controller: initialise, cascade, ICW4 follows
    outb 0x21, 0x20                 # its interrupts become vectors 0x20 to 0x27
    outb 0x21, 0x04
    outb 0x21, 0x01
    outb 0x21, 0xfe                 # let only the timer through
    outb 0x43, 0x34                 # timer channel 0, low and high byte, mode 2 (rate generator)
    outb 0x40, TIMER_COUNT
    outb 0x40, 0
    ret

.data
.balign 8
gdt:
    .quad 0                         # the null descriptor
    .quad 0x00cf9a000000ffff        # 0x08 kernel code: base 0, 4 GiB, DPL 0
    .quad 0x00cf92000000ffff        # 0x10 kernel data
    .quad 0x00cffa000000ffff        # 0x18 user code: DPL 3
    .quad 0x00cff2000000ffff        # 0x20 user data
gdt_tss:
    .quad 0x0000890000000067        # 0x28 TSS: 104 bytes; its base is filled in above
gdt_end:
gdt_register:
    .word gdt_end - gdt - 1
    .long gdt
idt_register:
    .word 129 * 8 - 1
    .long idt
.balign 4
tss:
    .long 0
    .long kernel_stack_top          # ESP0
    .long KERNEL_DATA               # SS0
    .fill 22, 4, 0
    .word 0, 104                    # I/O bitmap base beyond the limit: no port is allowed
ticks:
    .long 0

.bss
.balign 16
idt:
    .skip 129 * 8
    .skip 4096
kernel_stack_top:
    .skip 4096
user_stack_top:
