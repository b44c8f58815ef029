# Alone: a kernel that wants to be undisturbed for a moment.
#
# It switches interrupts on, off for a piece of work that nobody may disturb, and on again; then it says
# something and ends. Between its few privileged instructions it does nothing but ordinary work.

        .globl  _start

        .equ    SERIAL, 0x3F8           # the serial port's data register
        .equ    EXIT, 0xF4              # a byte written here ends the run with that status

_start: sti                             # interrupts may come
        xor     eax, eax
        mov     ecx, 3000

critical:
        cli                             # from here on they may not
alone:  add     eax, ecx                # 3000 + 2999 + … + 1
        dec     ecx
        jnz     alone
        mov     [total], eax
        sti                             # now they may again

        mov     dx, SERIAL
        mov     esi, offset words
next:   mov     al, [esi]
        test    al, al
        jz      done
send:   out     dx, al
sent:   inc     esi
        jmp     next

done:   xor     al, al
        out     EXIT, al

words:  .asciz  "undisturbed\n"
        .balign 4
total:  .long   0
