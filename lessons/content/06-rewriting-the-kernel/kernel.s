# Kernel: a little of everything that a translator meets.
#
# Flags, a table, a loop, and a function that is called again and again.

        .globl  _start

        .equ    EXIT, 0xF4
        .equ    ROUNDS, 1000

_start: mov     esp, 0x300000
        jmp     begin

begin:  mov     eax, 1
        add     eax, 2                  # arithmetic: harmless in any ring
quiet:  cli                             # no interrupts from here on
        mov     ebx, eax
load:   lidt    [table]                 # where the interrupt handlers are
        jmp     work

work:   xor     edx, edx
        mov     ecx, ROUNDS
round:  add     edx, ecx                # add up the numbers from 1 to ROUNDS
        dec     ecx
again:  jnz     round
summed: nop

        mov     ecx, ROUNDS
called: call    twice                   # the same function, from the same place
        dec     ecx
        jnz     called
        call    twice                   # and from another one
back:   nop

        xor     al, al
        out     EXIT, al

        .balign 64
twice:  add     edx, edx
        ret

gates:  .quad   0                       # one gate, which nothing uses
table:  .word   7
        .long   gates
