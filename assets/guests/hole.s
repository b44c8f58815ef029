# The hole in x86: sensitive instructions that do not trap, and so tell a deprivileged kernel the truth, or lie to it.
#
# On the bare machine each keeps its word. Under classic trap-and-emulate the kernel runs in ring 1, where these run
# without trapping: PUSHF and POPF do not know of the virtual interrupt flag, SGDT and SMSW show the monitor's registers,
# MOV from CS shows the real ring. Robin and Irvine listed them in 2000; because of them x86 "could not be virtualized".

.include "console.inc"

.equ IF, 0x200

.macro verdict condition, kept, lost   # say `kept` if the condition holds, else `lost`, and remember that
    j\condition good_\@
    inc dword ptr [lies]
    print "\lost\n"
    jmp next_\@
good_\@:
    print "\kept\n"
next_\@:
.endm

.globl _start
_start:
    lgdt [gdt_register]

    cli                             # traps under a monitor, which clears the virtual IF
    pushfd                          # does not trap
    pop eax
    test eax, IF
    verdict z, "PUSHF: shows interrupts off, as they are", "PUSHF: shows interrupts on, though CLI turned them off"

    push 0x202
    popfd                           # ring 0 may set IF so; in ring 1 the CPU ignores it and says nothing
    call interrupts_get_through
    verdict e, "POPF: turned interrupts on", "POPF: silently ignored, interrupts are still off"

    cli
    sgdt [stored]                   # does not trap
    mov eax, [stored + 2]
    cmp eax, offset gdt
    verdict e, "SGDT: shows the table that LGDT loaded", "SGDT: shows another table than LGDT loaded"

    clts                            # traps: the virtual CR0 has TS clear from here on
    smsw eax                        # does not trap
    test eax, 8
    verdict z, "SMSW: shows TS clear, as CLTS left it", "SMSW: shows TS set, though CLTS cleared it"

    mov eax, cs                     # does not trap
    test eax, 3
    verdict z, "MOV from CS: shows ring 0", "MOV from CS: shows another ring than 0"

    cmp dword ptr [lies], 0
    jne caught
    print "This machine is what it seems.\n"
    exit 0
caught:
    print "Something stands between me and the machine.\n"
    exit 1

# ZF set if a timer interrupt arrives within twice the time that it should need.
interrupts_get_through:
    mov eax, offset timer_interrupt
    mov [idt + 0x20 * 8], ax
    mov word ptr [idt + 0x20 * 8 + 2], 8
    mov word ptr [idt + 0x20 * 8 + 4], 0x8e00
    shr eax, 16
    mov [idt + 0x20 * 8 + 6], ax
    lidt [idt_register]
    mov esi, offset timer_set_up
set_up_next:                        # pairs of port and value
    movzx edx, byte ptr [esi]
    mov al, [esi + 1]
    out dx, al
    add esi, 2
    cmp esi, offset timer_set_up_end
    jb set_up_next
    mov ecx, 20000
wait_for_tick:
    dec ecx
    jnz wait_for_tick
    mov al, 0xff                    # mask the timer again
    out 0x21, al
    cmp dword ptr [ticked], 1
    ret

timer_interrupt:
    mov dword ptr [ticked], 1
    push eax
    mov al, 0x20
    out 0x20, al
    pop eax
    iretd

.data
timer_set_up:                       # interrupt controller to vectors 0x20, timer only; timer: a tick every 10,000
    .byte 0x20, 0x11, 0x21, 0x20, 0x21, 0x04, 0x21, 0x01, 0x21, 0xfe, 0x43, 0x34, 0x40, 120, 0x40, 0
timer_set_up_end:
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
stored:
    .skip 6
.balign 4
ticked: .long 0
lies:   .long 0

.bss
.balign 8
idt:    .skip 33 * 8
