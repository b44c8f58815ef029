# Privileged instructions: each one that ring 0 keeps for itself, tried, checked and reported.
#
# Under a monitor every one of these traps and is emulated, so the report must be the same as on the bare machine.

.include "console.inc"

.equ KERNEL_CODE, 0x08
.equ KERNEL_DATA, 0x10

.macro check condition, what        # report `what` as kept or broken by the flags of the last comparison
    j\condition kept_\@
    call broke_promise
kept_\@:
    call say_kept
    .asciz "\what\n"
.endm

.macro outb port, value
    mov al, \value
    out \port, al
.endm

.globl _start
_start:
    lgdt [gdt_register]             # a table of our own
    push KERNEL_CODE
    mov eax, offset in_new_segments
    push eax
    retf
in_new_segments:
    mov ax, KERNEL_DATA
    mov ds, ax
    mov es, ax
    mov ss, ax
    cmp eax, eax
    check e, "LGDT: new segments are in use"

    mov eax, offset timer_interrupt
    mov [idt + 0x20 * 8], ax
    mov word ptr [idt + 0x20 * 8 + 2], KERNEL_CODE
    mov word ptr [idt + 0x20 * 8 + 4], 0x8e00
    shr eax, 16
    mov [idt + 0x20 * 8 + 6], ax
    mov eax, offset breakpoint
    mov [idt + 3 * 8], ax
    mov word ptr [idt + 3 * 8 + 2], KERNEL_CODE
    mov word ptr [idt + 3 * 8 + 4], 0x8e00
    shr eax, 16
    mov [idt + 3 * 8 + 6], ax
    lidt [idt_register]
    int3
    cmp dword ptr [breakpoints], 1
    check e, "LIDT: our handler is called"

    outb 0x20, 0x11                 # interrupt controller to vectors 0x20, timer only
    outb 0x21, 0x20
    outb 0x21, 0x04
    outb 0x21, 0x01
    outb 0x21, 0xfe
    outb 0x43, 0x34                 # timer channel 0, mode 2, a tick every 10,000 instructions or so
    outb 0x40, 120
    outb 0x40, 0

    cli
    mov ecx, 20000                  # two ticks' time
cli_loop:
    dec ecx
    jnz cli_loop
    cmp dword ptr [ticks], 0
    check e, "CLI: no interrupt came in"

    sti
    mov ecx, 20000
sti_loop:
    dec ecx
    jnz sti_loop
    cmp dword ptr [ticks], 2
    check ae, "STI: interrupts came in"

    mov ebx, [ticks]
    hlt                             # only the timer can wake us
    inc ebx
    cmp [ticks], ebx
    check e, "HLT: slept until the next interrupt"
    cli
    outb 0x21, 0xff                 # no more interrupts

    mov eax, cr0
    mov ebx, eax
    or eax, 8                       # TS, task switched
    mov cr0, eax
    mov ecx, cr0
    cmp ecx, eax
    check e, "MOV CR0: what was written is read"
    clts
    mov ecx, cr0
    cmp ecx, ebx
    check e, "CLTS: cleared TS"
    mov eax, 0xb                    # PE, MP and TS, of the low four bits
    lmsw ax
    mov ecx, cr0
    and ecx, 0xf
    cmp ecx, 0xb
    check e, "LMSW: set the low bits of CR0"
    mov cr0, ebx

    mov eax, 0x00345000
    mov cr3, eax
    mov ecx, cr3
    cmp ecx, eax
    check e, "MOV CR3: what was written is read"
    mov eax, 0x12345678
    mov cr2, eax
    mov ecx, cr2
    cmp ecx, eax
    check e, "MOV CR2: what was written is read"
    mov eax, 0x10                   # PSE, large pages
    mov cr4, eax
    mov ecx, cr4
    cmp ecx, eax
    check e, "MOV CR4: what was written is read"
    invlpg [0x1000]
    wbinvd
    cmp eax, eax
    check e, "INVLPG, WBINVD: done"

    mov esi, offset banner
    mov ecx, [banner_length]
    mov edx, SERIAL
    rep outsb
    mov edx, 0x2f8                  # no device here
    in al, dx
    cmp al, 0xff
    check e, "IN: an empty port reads as all ones"

    cmp dword ptr [broken], 0
    jne failed
    print "all kept\n"
    exit 0
failed:
    exit 1

timer_interrupt:
    push eax
    inc dword ptr [ticks]
    outb 0x20, 0x20
    pop eax
    iretd

breakpoint:
    inc dword ptr [breakpoints]
    iretd

broke_promise:
    inc dword ptr [broken]
    print "BROKEN "
    ret

say_kept:                           # print the string behind the CALL; flags and registers stay
    pushfd
    call print_marker
    popfd
    jmp print_inline
print_marker:
    print "- "
    ret

.data
banner: .ascii "- OUT: a whole string by REP OUTSB\n"
banner_end:
banner_length: .long banner_end - banner
.balign 8
gdt:
    .quad 0
    .quad 0x00cf9a000000ffff
    .quad 0x00cf92000000ffff
gdt_end:
gdt_register:
    .word gdt_end - gdt - 1
    .long gdt
idt_register:
    .word 33 * 8 - 1
    .long idt
.balign 4
ticks:       .long 0
breakpoints: .long 0
broken:      .long 0

.bss
.balign 8
idt:    .skip 33 * 8
