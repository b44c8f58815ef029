# Notebook: it waits for a key, notes it in memory, writes it to a sector of its disk of its own, and shows it.
#
# Watch how the VM runs away from the image that it began as: a page here and a sector there.

        .globl  _start

        .equ    SERIAL, 0x3F8
        .equ    SERIAL_IRQ, 0x24        # the vector of IRQ 4, once the interrupt controller is told so
        .equ    DATA, 0x1F0             # of the disk; behind it: count, number of the sector, drive, command
        .equ    STATUS, 0x1F7
        .equ    WRITE, 0x30
        .equ    NOTES, 0x200000         # a page that the image does not reach

_start: mov     eax, offset key         # the gate of IRQ 4
        mov     [idt + SERIAL_IRQ * 8], ax
        mov     [idt + SERIAL_IRQ * 8 + 2], cs
        mov     word ptr [idt + SERIAL_IRQ * 8 + 4], 0x8E00
        shr     eax, 16
        mov     [idt + SERIAL_IRQ * 8 + 6], ax
        lidt    [idt_register]
        mov     esi, offset setup       # interrupt controller and serial port: pairs of port and value
next:   movzx   edx, word ptr [esi]
        mov     al, [esi + 2]
        add     esi, 3
        out     dx, al
        cmp     esi, offset setup_end
        jb      next
        xor     ebx, ebx                # how many keys are noted
        mov     edi, NOTES
        mov     dx, SERIAL
        mov     al, '>'
        out     dx, al
wait:   sti
        hlt
        cli
noted:  jmp     wait

key:    mov     dx, SERIAL + 5          # is there one (still)?
        in      al, dx
        test    al, 1
        jz      done
        mov     dx, SERIAL
        in      al, dx
        mov     [edi + ebx], al         # into memory
        inc     ebx
        out     dx, al                  # onto the console
        mov     ecx, eax
        mov     dx, DATA + 2            # and into sector number EBX of the disk
        mov     al, 1
        out     dx, al
        inc     edx
        mov     al, bl
        out     dx, al
        inc     edx
        xor     al, al
        out     dx, al
        inc     edx
        out     dx, al
        inc     edx
        mov     al, 0xE0
        out     dx, al
        inc     edx
        mov     al, WRITE
        out     dx, al
        mov     dx, DATA
        mov     eax, ecx
        mov     ecx, 256                # words in a sector
half:   out     dx, ax
        loop    half
        jmp     key
done:   mov     al, 0x20
        out     0x20, al
        iretd

        .data
setup:  .word   0x20
        .byte   0x11
        .word   0x21
        .byte   0x20
        .word   0x21
        .byte   4
        .word   0x21
        .byte   1
        .word   0x21
        .byte   0xEF                    # all but IRQ 4 masked
        .word   0x3F6
        .byte   2                       # the disk: no interrupts
        .word   SERIAL + 1
        .byte   1                       # the serial port: an interrupt for each byte that comes
        .word   SERIAL + 4
        .byte   8
setup_end:
        .balign 8
idt:    .fill   (SERIAL_IRQ + 1) * 8, 1, 0
idt_register:
        .word   (SERIAL_IRQ + 1) * 8 - 1
        .long   idt
