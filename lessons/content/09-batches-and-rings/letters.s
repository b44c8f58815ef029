# Letters: a kernel that prints the same line through a serial port, letter by letter, as drivers do on a PC.

        .globl  _start

        .equ    SERIAL, 0x3F8
        .equ    STATUS, SERIAL + 5      # bit 5: it can take a letter
        .equ    EXIT, 0xF4

_start: mov     esi, offset text
print:  mov     edx, STATUS
ready:  in      al, dx
        test    al, 0x20
        jz      ready
        lodsb
        test    al, al
        jz      told
        mov     edx, SERIAL
letter: out     dx, al
        jmp     print

told:   xor     al, al
        out     EXIT, al

        .data
text:   .asciz  "Written into a port.\n"
